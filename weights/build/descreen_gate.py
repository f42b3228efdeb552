"""Fits the score of a descreening network, on what the finished network makes of pictures.

    python weights/build/descreen_gate.py --portraits DIR --network weights/default/descreen.onnx

Training ends with it; run alone, it fits the score of that file anew and leaves all else in it as
it is. Needs PyTorch. Prints, by threshold, the shares of meshes missed and of false alarms on
people held out of training.
"""

import argparse
import json
from collections.abc import Iterable
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from command import run
from delivery import deliver
from judged import judged
from numpy.typing import NDArray
from onnx import numpy_helper
from portraits import Portraits
from torch import nn
from torch.nn import functional

from engine.evaluation.arguments import at_least
from engine.evaluation.replacing import replacing

Floats = NDArray[np.float32]

LAYERS = ("network.score.0", "network.score.2")
COUNT = 24000
STEPS, RATE, DROPPED = 10000, 2e-3, 0.1
LIMITS = (0.1, 0.15, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def fit_gate(
    path: Path, portraits: Path, cache: Path, count: int, seed: int, workers: int
) -> dict[str, list[float]]:
    """Fits the score on `count` pictures and writes it into the file.

    cache: where the mattes are kept. workers: processes, whose number changes nothing but the time
    it takes. Gives, by threshold, the shares of meshes missed and of false alarms on people held
    out.
    """
    network = onnx.load(path)
    told = _telling_evidence(network)
    with get_context("spawn").Pool(workers) as pool:

        def gathered(held_out: bool, number: int) -> tuple[Floats, Floats]:
            gather = partial(_gather, told, portraits, cache, held_out, seed)
            parts = pool.map(gather, np.array_split(range(number), workers))
            evidence, labels = map(np.concatenate, zip(*parts, strict=True))
            return evidence[labels >= 0], labels[labels >= 0]

        seen, unseen = gathered(False, count), gathered(True, count // 10)
    score = _fitted(*seen, seed)
    for name, layer in zip(LAYERS, (score[0], score[2]), strict=True):
        for kind, values in layer.named_parameters():
            _replace(network, f"{name}.{kind}", values.detach().numpy())
    with replacing(path) as new:
        onnx.save(network, new)
    with torch.no_grad():
        odds = score(torch.from_numpy(unseen[0]))[:, 0].sigmoid().numpy()
    meshed = unseen[1] == 1
    return {
        str(limit): [
            round(float((odds[meshed] < limit).mean()), 5),
            round(float((odds[~meshed] >= limit).mean()), 5),
        ]
        for limit in LIMITS
    }


def _telling_evidence(network: onnx.ModelProto) -> bytes:
    """The network with what the score is judged from for its only output."""
    told = onnx.ModelProto()
    told.CopyFrom(network)
    first = next(node for node in told.graph.node if f"{LAYERS[0]}.weight" in node.input)
    evidence = onnx.helper.make_tensor_value_info(first.input[0], onnx.TensorProto.FLOAT, None)
    del told.graph.output[:]
    told.graph.output.append(evidence)
    return bytes(told.SerializeToString())


def _gather(
    network: bytes,
    portraits: Path,
    cache: Path,
    held_out: bool,
    seed: int,
    numbers: Iterable[int],
) -> tuple[Floats, Floats]:
    """What the score is judged from, `(N, 246)`, and labels, of the pictures of those numbers."""
    cv2.setNumThreads(1)
    people = Portraits(portraits, cache, held_out)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    rows, labels = [], []
    for number in numbers:
        picture, label = judged(people, np.random.default_rng((seed, number, 1)), number)
        batch = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)
        rows.append(session.run(None, {"image": batch})[0][0])
        labels.append(label)
    return np.stack(rows), np.array(labels, np.float32)


def _fitted(evidence: Floats, labels: Floats, seed: int) -> nn.Sequential:
    """Logistic regression by two layers, on evidence of mean 0 and spread 1."""
    torch.set_num_threads(1)  # a second only waits for the first in steps so small
    torch.manual_seed(seed)
    width, hidden = evidence.shape[1], 64
    score = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 1))
    mean, spread = (torch.from_numpy(v) for v in (evidence.mean(0), evidence.std(0) + 1e-3))
    rows, wanted = (torch.from_numpy(evidence) - mean) / spread, torch.from_numpy(labels)
    optimiser = torch.optim.AdamW(score.parameters(), RATE, weight_decay=0.1)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = RATE * (1 - step / STEPS)
        some = torch.randint(len(wanted), (256,))
        logits = score(functional.dropout(rows[some], DROPPED))[:, 0]
        loss = functional.binary_cross_entropy_with_logits(logits, wanted[some])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():  # from here on the score takes the evidence as it is
        score[0].weight /= spread
        score[0].bias -= score[0].weight @ mean
    return score


def _replace(network: onnx.ModelProto, name: str, values: Floats) -> None:
    stored = next(one for one in network.graph.initializer if one.name == name)
    if list(stored.dims) != list(values.shape):
        raise ValueError(f"{name} is {list(stored.dims)}, not {list(values.shape)}")
    stored.CopyFrom(numpy_helper.from_array(values, name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--network", type=Path, required=True, help="ONNX file, written anew")
    parser.add_argument("--work", type=Path, default=Path("build/descreen"), help="mattes")
    parser.add_argument("--count", type=at_least(1), default=COUNT, help="pictures to learn from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=at_least(1), default=2, help="processes, one core each")
    options = parser.parse_args()
    cache = options.work / "mattes.npy"
    Portraits(options.portraits, cache)  # draws the mattes once
    report = fit_gate(
        options.network, options.portraits, cache, options.count, options.seed, options.workers
    )
    print(json.dumps(report))
    deliver(options.network, options.network)


if __name__ == "__main__":
    run(main)
