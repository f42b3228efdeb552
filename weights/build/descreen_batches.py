"""The batches that the descreening network is trained on."""

import argparse
from collections.abc import Callable

import numpy as np
import torch
from descreen_plan import is_whole, whole_every
from examples import Example, enlarged_example, example
from portraits import Portraits
from torch import Tensor

Draw = Callable[[Portraits, np.random.Generator, int, int, bool], Example]

WHOLE: tuple[tuple[tuple[int, int], Draw], ...] = (
    ((224, 176), example),
    ((128, 112), example),
    ((192, 160), enlarged_example),
)
"""Sizes of whole photos, and how one is drawn: an ID photo, a thumbnail, and a thumbnail as it is
looked at enlarged."""


def draw(
    portraits: Portraits, options: argparse.Namespace, step: int, worker: int
) -> tuple[Tensor, ...]:
    """This worker's share of the batch of `step`: cut-outs, and in turn whole photos."""
    rng = np.random.default_rng((options.seed, step, worker))
    (height, width), count = (options.crop, options.crop), options.batch // options.workers
    one: Draw = example
    whole = is_whole(options, step)
    if whole:
        (height, width), one = WHOLE[step // whole_every(options, step) % len(WHOLE)]
        count = max(1, round(count * options.crop**2 / (height * width)))
    rows = [one(portraits, rng, height, width, whole) for _ in range(count)]
    return tuple(torch.as_tensor(np.stack(column)) for column in zip(*rows, strict=True))
