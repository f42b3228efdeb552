# Two commands set everything up on a machine with Python >= 3.10, pip and make:
# `make run` serves the four endpoints, `make test` passes the tests.

PYTHON ?= python3
PORT ?= 8081
VENV ?= .venv
BIN = $(VENV)/bin
RECENT = 'import sys; sys.exit(sys.version_info < (3, 10))'

# The builds of onnxruntime overwrite each other's files, so exactly one is installed.
GPU ?= $(shell command -v nvidia-smi >/dev/null 2>&1 && echo 1)
DEVICE = $(if $(filter 1,$(OPENVINO)),openvino,$(if $(filter 1,$(GPU)),gpu,cpu))
CLEAR_RUNTIME = $(BIN)/pip uninstall --quiet --yes onnxruntime onnxruntime-gpu onnxruntime-openvino
ifeq ($(DEVICE),gpu)
SWAP_RUNTIME = $(CLEAR_RUNTIME) && $(BIN)/pip install --quiet "onnxruntime-gpu[cuda,cudnn]"
endif
ifeq ($(DEVICE),openvino)
SWAP_RUNTIME = $(CLEAR_RUNTIME) && $(BIN)/pip install --quiet onnxruntime-openvino
endif
READY = $(VENV)/run-$(DEVICE)
TESTABLE = $(VENV)/test-$(DEVICE)

# onnxruntime would send data on the machine to its makers; the engine sets this too, scripts that do not
# begin with it do not.
export ORT_DISABLE_TELEMETRY = 1

.PHONY: run setup test lint fuzz bench train-descreen train-liveness demo clean

run: $(READY)
	$(BIN)/python -m shim --demo --port $(PORT)

setup: $(READY)

# TESTS=tests/engine runs those alone.
test: $(TESTABLE)
	$(BIN)/python -m pytest $(TESTS)

lint: $(TESTABLE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# 20,004 hostile requests, 3,334 of each of six kinds, over a socket; a short seeded run is part of `make test`.
fuzz: $(TESTABLE)
	FUZZ=20004 $(BIN)/python -m pytest -s tests/shim/test_fuzz.py -k hostile

# Ratios to the networks' own time and to other programs, into build/bench; about eight minutes on two cores.
# MODELS is a folder with scrfd_500m_bnkps.onnx and arcface_mobilefacenet_128d.onnx, without which
# insightface's FaceAnalysis is left out; BENCH="--quick" or any other option of the command.
MODELS ?= ../shared/data/models
bench: $(TESTABLE)
	$(BIN)/python -m engine.evaluation bench --models "$(MODELS)" --out build/bench $(BENCH)

# PORTRAITS is a folder with us_officials/ and gan_idcards/. Resumes from build/descreen.
train-descreen: $(TESTABLE)
	@test -n "$(PORTRAITS)" || { echo "Say where the portraits are: make train-descreen PORTRAITS=DIR"; exit 1; }
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/python weights/build/train_descreen.py --portraits "$(PORTRAITS)" \
		--work build/descreen --out weights/default/descreen.onnx

# Also needs CAPTURES, a folder with prints_cn/ and replay_small/. Resumes from build/liveness.
train-liveness: $(TESTABLE)
	@test -n "$(PORTRAITS)" -a -n "$(CAPTURES)" || { \
		echo "Say where the pictures are: make train-liveness PORTRAITS=DIR CAPTURES=DIR"; exit 1; }
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/python weights/build/train_liveness.py --portraits "$(PORTRAITS)" \
		--captures "$(CAPTURES)" --workers 1 --work build/liveness --out weights/default/liveness_texture.onnx

demo: $(TESTABLE)
	$(BIN)/python -m shim.demo --out demo

$(READY): setup.cfg
	@$(BIN)/python -c $(RECENT) 2>/dev/null || $(PYTHON) -c $(RECENT) || { \
		echo "Python 3.10 or newer is needed: make PYTHON=python3.12, or where yours is"; exit 1; }
	$(BIN)/python -c $(RECENT) 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	rm -f $(VENV)/run-* $(VENV)/test-*
	$(BIN)/pip install --quiet --upgrade pip
	! $(BIN)/pip show --quiet onnxruntime-gpu onnxruntime-openvino 2>/dev/null || $(CLEAR_RUNTIME)
	$(BIN)/pip install --quiet --editable .
	$(SWAP_RUNTIME)
	touch $@

# insightface asks for opencv-python and onnxruntime by name; --no-deps keeps them out.
$(TESTABLE): $(READY)
	$(BIN)/pip install --quiet --editable ".[test]"
	$(BIN)/pip install --quiet --no-deps insightface==2.1
	$(SWAP_RUNTIME)
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info demo
