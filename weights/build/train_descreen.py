"""Trains the descreening network and writes `descreen.onnx`.

    python weights/build/train_descreen.py --portraits DIR --out weights/default/descreen.onnx \
        --work DIR

Needs PyTorch (CPU is enough). Picks up at the last checkpoint in `--work` when started again.
Every picture is drawn from the seed and its number, so a run does not depend on where it paused.

After `--steps` comes the finish: `--finish` steps more from `--finish-rate` down, with whole
photos, and so the recognition loss, on every other step, and more weight on likeness. The weights
that are written are the mean of those before and after it. With `--start FILE --steps 0` a run is
the finish alone, of the weights of a file that was trained before.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from command import run
from delivery import check_place, deliver
from descreen_batches import draw
from descreen_gate import COUNT, fit_gate
from descreen_loss import loss_of
from descreen_network import DescreenNetwork, export, pictures
from descreen_plan import is_finish, is_whole, rate_of, require_same, settings_of
from descreen_start import weights_of
from descreen_state import State
from descreen_validation import validate
from examples import example
from portraits import Portraits
from recognition import Recognition
from torch import Tensor, distributed, multiprocessing

from engine.errors import EngineError
from engine.evaluation.arguments import at_least

EMBEDDING = Path(__file__).parents[1] / "default" / "embedding_sface_2021dec.onnx"
CHECKPOINT, BUILT = "checkpoint.pt", "descreen.onnx"


def train(worker: int, options: argparse.Namespace, settings: dict[str, Any]) -> None:
    """One of several processes that share each step; the first also keeps and reports."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{options.work.resolve()}/rendezvous",
        rank=worker,
        world_size=options.workers,
    )
    portraits = Portraits(options.portraits, options.work / "mattes.npy")
    held_out = Portraits(options.portraits, options.work / "mattes.npy", validation=True)
    state = State(_first(options.start), options.rate, settings)
    checkpoint = options.work / CHECKPOINT
    if checkpoint.exists():
        state.load(checkpoint)
    recognition, losses, started = None, [], time.time()
    ends = (options.steps, options.steps + options.finish)
    for step in range(state.done, ends[1]):
        if step == options.steps:
            state.settle()
        if recognition is None and step >= options.settled * options.steps:
            recognition = Recognition(options.embedding)
        batch = draw(portraits, options, step, worker)
        judge = recognition if is_whole(options, step) else None
        loss = loss_of(state.network, batch, judge, is_finish(options, step))
        rate = rate_of(options, step)
        state.take(loss, rate)
        losses.append(loss.item())
        if worker == 0 and (state.done % options.report == 0 or state.done in ends):
            state.save(checkpoint)
            figures = validate(state.average, held_out)
            figures |= {"step": state.done, "loss": float(np.mean(losses)), "rate": rate}
            figures["seconds"] = time.time() - started
            print(json.dumps({k: round(v, 6) for k, v in figures.items()}), flush=True)
            losses = []
    if worker == 0:
        export(state.finished(), options.work / BUILT, _photos(portraits, options.seed))


def _first(start: Path | None) -> DescreenNetwork:
    """What a run begins with. Raises EngineError for a file of another network."""
    network = DescreenNetwork()
    if start:
        weights = {name: torch.tensor(values) for name, values in weights_of(start).items()}
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise EngineError(f"{start} is no descreening network of this kind: {error}") from error
    return network


def _photos(portraits: Portraits, seed: int) -> Iterator[Tensor]:
    """Whole photos of several sizes."""
    for number in range(45):
        rng = np.random.default_rng((seed, number, 2))
        size = ((224, 176), (128, 112), (448, 368))[number % 3]
        yield pictures(example(portraits, rng, *size, whole=True)[0][None])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("--start", type=Path, help="go on from this ONNX file's weights")
    parser.add_argument("--steps", type=at_least(0), default=36500)
    parser.add_argument("--finish", type=at_least(0), default=3300, help="steps after these")
    parser.add_argument("--finish-rate", type=float, default=3.5e-4)
    parser.add_argument(
        "--embedding", type=Path, default=EMBEDDING, help="ONNX file of the recognition loss"
    )
    parser.add_argument("--settled", type=float, default=0.4, help="share of steps without it")
    parser.add_argument("--gate", type=at_least(1), default=COUNT, help="pictures for the score")
    parser.add_argument("--batch", type=at_least(1), default=16)
    parser.add_argument("--crop", type=at_least(16), default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=at_least(1), default=2, help="processes, one core each")
    parser.add_argument("--report", type=at_least(1), default=500)
    options = parser.parse_args()
    if options.batch < options.workers:
        raise EngineError("--batch is at least --workers, which share it")
    check_place(options.out)
    options.work.mkdir(parents=True, exist_ok=True)
    settings = settings_of(options)
    if (options.work / CHECKPOINT).exists():
        found = torch.load(options.work / CHECKPOINT).get("settings")
        require_same(options.work, found, settings)
    (options.work / "rendezvous").unlink(missing_ok=True)
    _first(options.start)  # says what is wrong with it before any process has begun
    Portraits(options.portraits, options.work / "mattes.npy")  # draws the mattes once
    multiprocessing.spawn(train, (options, settings), options.workers)
    mattes, built = options.work / "mattes.npy", options.work / BUILT
    report = fit_gate(built, options.portraits, mattes, options.gate, options.seed, options.workers)
    print(json.dumps(report), flush=True)
    deliver(built, options.out)


if __name__ == "__main__":
    run(main)
