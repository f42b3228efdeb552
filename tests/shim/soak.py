"""Many requests, mixed, from several clients at once: does memory grow, does an answer change?

python tests/shim/soak.py [requests [clients]]
Starts a shim in demo mode, and exits 1 when memory grew by 3 % or more between a tenth and the
end, when a reply was a 5xx or when one differs from what a single client gets.
"""

import base64
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from shim_client import Client, image
from shim_server import launch

PICTURES = Path(__file__).parents[2] / "shim" / "conformance" / "pictures"
GROWTH = 0.03
Order = tuple[str, dict[str, Any]]


def orders() -> list[Order]:
    """Requests of every kind: pictures of three formats, good and bad."""
    face, png, bmp, two, blank = (
        (PICTURES / name).read_bytes()
        for name in ("face.jpg", "face.png", "face.bmp", "two.jpg", "blank.png")
    )
    return [
        ("detect", {"image": image(face)}),
        ("detect", {"image": image(two), "mutipleFace": True}),
        ("compare", {"image1": image(face), "image2": image(png)}),
        ("compare", {"image1": image(two), "image2": image(bmp, category=2)}),
        ("biodetect", {"image": image(face)}),
        ("biodetect", {"image": image(blank)}),
        ("erasemark", {"image": image(face)}),
        ("erasemark", {"image": image(png, category=2)}),
        ("detect", {"image": image(base64.b64encode(face))}),
        ("detect", {"image": image(face, token="0" * 64)}),
    ]


def ask(client: Client, order: Order) -> tuple[int, dict[str, Any]]:
    status, _, reply = client.post(order[0], **order[1])
    return status, {name: value for name, value in reply.items() if name != "time"}


def main(requests: int = 10_000, clients: int = 8) -> int:
    served = launch(Path(tempfile.mkdtemp()), "--demo")
    todo = orders()
    alone = [ask(served.client(), order) for order in todo]
    statuses: Counter[int] = Counter()
    changed: list[str] = []

    def work(share: range) -> None:
        client = served.client()
        for number in share:
            index = number % len(todo)
            answer = ask(client, todo[index])
            statuses[answer[0]] += 1
            if answer != alone[index]:
                changed.append(f"{todo[index][0]} {index}: {answer}, alone {alone[index]}"[:300])
        client.close()

    def run(first: int, last: int) -> int:
        shares = [range(first + index, last, clients) for index in range(clients)]
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(work, shares))
        return served.resident()

    started = time.monotonic()
    early = run(0, requests // 10)
    late = run(requests // 10, requests)
    seconds = time.monotonic() - started
    exit_status = served.stop()
    growth = late / early - 1
    print(f"{requests} requests, {clients} clients, {seconds:.0f} s, {requests / seconds:.0f}/s")
    print(f"statuses {dict(sorted(statuses.items()))}, {len(changed)} answers differ from serial")
    print(f"resident after {requests // 10}: {early / 1e6:.1f} MB, at the end {late / 1e6:.1f} MB")
    print(f"growth {growth:.2%}, exit status {exit_status}")
    print(*changed[:5], sep="\n")
    faults = any(status >= 500 for status in statuses)
    return 1 if growth >= GROWTH or changed or faults or exit_status else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
