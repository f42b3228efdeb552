"""The four calls: what each asks of the engine and how its result goes on the wire."""

from collections.abc import Callable

import pybase64

from engine import Engine, FaceNotFound, headers, images
from shim import contract
from shim.contract import Body, Endpoint, Refusal
from shim.validation import ID_PHOTO, Order

Call = Callable[[Engine, Order], Body]


def detect(engine: Engine, order: Order) -> Body:
    """Section 2: the largest face, or the 16 largest."""
    limit = contract.MAX_FACES if order.many_faces else 1
    found = engine.detect(order.images[0].data, max_faces=limit)
    if not found:
        raise FaceNotFound
    return contract.faces([face.box for face in found])


def compare(engine: Engine, order: Order) -> Body:
    """Section 3: how alike the largest faces of two pictures are."""
    first, second = order.images
    result = engine.compare(
        first.data,
        second.data,
        id_photo=(first.category == ID_PHOTO, second.category == ID_PHOTO),
    )
    return contract.similarity(result.similarity, result.threshold)


def biodetect(engine: Engine, order: Order) -> Body:
    """Section 4: whether the largest face was captured from a living person."""
    try:
        result = engine.liveness(order.images[0].data)
    except FaceNotFound:
        raise Refusal(contract.NO_FACE, contract.no_face()) from None
    return contract.liveness(result.score, result.threshold, result.is_alive)


def erasemark(engine: Engine, order: Order) -> Body:
    """Section 5: the picture without its mesh. PNG and BMP come back as PNG, JPEG as JPEG, stored
    with the width and height that were sent."""
    data = order.images[0].data
    result = engine.descreen(data)
    sent = headers.sniff(data)
    send_as = "jpeg" if sent.format == "jpeg" else "png"
    # A picture without a mesh goes back as it came: nothing is lost to a second compression.
    if result.changed or sent.format != send_as:
        data = images.encode(result.image, send_as, sent.orientation)
    return contract.picture(
        "jpg" if send_as == "jpeg" else "png", pybase64.b64encode(data).decode("ascii")
    )


CALLS: dict[Endpoint, Call] = {
    contract.DETECT: detect,
    contract.COMPARE: compare,
    contract.BIODETECT: biodetect,
    contract.ERASEMARK: erasemark,
}
