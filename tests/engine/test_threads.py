"""Many threads on one engine get the numbers that one thread gets."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine import Engine
from engine.images import Pixels, encode


def answers(engine: Engine, pictures: list[Pixels | bytes]) -> list[float]:
    numbers: list[float] = []
    for picture in pictures:
        numbers += [value for face in engine.detect(picture) for value in face.box]
        numbers += engine.embed(picture).tolist()
        numbers += [engine.liveness(picture).score, engine.descreen(picture).mesh_score]
    numbers.append(engine.compare(pictures[0], pictures[1], id_photo=(False, True)).similarity)
    return numbers


def test_concurrent_equals_serial(
    engine: Engine, astronaut: Pixels, group: Pixels, hanks: Pixels
) -> None:
    pictures: list[Pixels | bytes] = [astronaut, encode(hanks, "png"), group[:, :640]]
    expected = answers(engine, pictures)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: answers(engine, pictures), range(24)):
            assert np.array_equal(found, expected)
