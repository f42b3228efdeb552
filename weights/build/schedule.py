"""How the learning rate of a training rises and falls."""

import math


def schedule(share: float, warm_up: float, start: float) -> float:
    """The factor once this share of the steps is done: a rise from `start`, over before the share
    `warm_up`, on half a cosine down to 1 %."""
    cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))
    return min(1.0, share / warm_up + start) * cosine
