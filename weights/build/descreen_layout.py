"""Lays the exported descreening network out for CPUs: less is moved about, with the same answers.

    python weights/build/descreen_layout.py weights/default/descreen.onnx

Training ends with it; a file that is laid out already stays as it is.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from command import run
from editor import Editor
from graph import drop_dead_values, save

BLOCK = 2
"""Pixels a side that are one place of the network, and places that an upper one becomes."""

LAST, FIRST = [0, 2, 3, 1], [0, 3, 1, 2]
"""Where the channels go."""


def arrange(model: onnx.ModelProto) -> None:
    """Lay out a network that descreen_network.py exported."""
    graph = Editor(model.graph)
    _round_once(graph)
    _read_pixels(graph)
    _spread_integers(graph)
    _cover_once(graph)
    drop_dead_values(model.graph)


def _round_once(graph: Editor) -> None:
    """What a convolution hands to Relu is rounded to integers after it, and not before it too."""
    for relu in graph.all("Relu"):
        floats = graph.maker(relu.input[0])
        if floats.op_type == "DequantizeLinear":
            integers = graph.maker(floats.input[0])
            relu.input[0] = integers.input[0]
            graph.remove(floats, integers)


def _read_pixels(graph: Editor) -> None:
    """The first convolution reads the pixels themselves, and not blocks of them as channels."""
    stem = graph.all("Conv")[0]
    steps = []
    while (node := graph.maker(stem.input[0])).op_type != "Sub":
        steps.append(node)
        stem.input[0] = node.input[0]
    if not steps:
        return
    graph.remove(*steps)
    kernels = graph.constant(stem.input[1])
    width, channels, side, _ = kernels.shape
    channels, wide = channels // BLOCK**2, side * BLOCK
    blocks = kernels.reshape(width, channels, BLOCK, BLOCK, side, side)
    pixels = blocks.transpose(0, 1, 4, 2, 5, 3).reshape(width, channels, wide, wide)
    graph.change(stem.input[1], pixels)
    place = {"kernel_shape": [wide] * 2, "strides": [BLOCK] * 2, "pads": [BLOCK * (side // 2)] * 4}
    for attribute in stem.attribute:
        if attribute.name in place:
            attribute.ints[:] = place[attribute.name]


def _spread_integers(graph: Editor) -> None:
    """Channels become places as integers that lie side by side, not as floats one by one."""
    for spread in graph.all("DepthToSpace"):
        floats = graph.maker(spread.input[0])
        if floats.op_type != "DequantizeLinear":
            continue
        (add,) = graph.readers(spread.output[0])
        (skip,) = (name for name in add.input if name != spread.output[0])
        width = _order_by_place(graph, graph.maker(graph.maker(floats.input[0]).input[0]))
        name = spread.name
        parts = graph.store(f"{name}_parts", [0, 0, 0, BLOCK, BLOCK * width])
        order = graph.store(f"{name}_order", LAST)
        skipped = [graph.maker(skip).input[0]]
        sides = graph.add("Shape", skipped, f"{name}_skipped", before=floats)
        shape = graph.add("Gather", [sides, order], f"{name}_shape", before=floats)
        value = floats.input[0]
        for step, (op_type, second, more) in enumerate(
            (
                ("Transpose", [], {"perm": LAST}),
                ("Reshape", [parts], {}),
                ("Transpose", [], {"perm": [0, 1, 3, 2, 4]}),
                ("Reshape", [shape], {}),
                ("Transpose", [], {"perm": FIRST}),
            )
        ):
            inputs = [value, *second]
            value = graph.add(op_type, inputs, f"{name}_{step}", before=floats, **more)
        floats.input[0] = value
        graph.redirect(spread.output[0], floats.output[0])
        graph.remove(spread)


def _order_by_place(graph: Editor, convolution: onnx.NodeProto) -> int:
    """Make a convolution give its outputs by row, column and channel of the places they become,
    not by channel, row and column. Returns how many channels there are."""
    names = {name for value in convolution.input[1:] for name in graph.maker(value).input}
    count = max(len(graph.constant(name)) for name in names if graph.constant(name).ndim)
    width = count // BLOCK**2
    order = np.arange(count).reshape(width, BLOCK, BLOCK).transpose(1, 2, 0).ravel()
    for name in names:
        values = graph.constant(name)
        if values.ndim:
            graph.change(name, values[order])
    return width


def _cover_once(graph: Editor) -> None:
    """The change is multiplied by the mask that is given out, which is zero where the picture is to
    stay: then nothing has to be put back there."""
    if not (choices := graph.all("Where")):
        return
    masked, put_back = sorted(choices, key=lambda node: "mask" not in node.output)
    lines, mask = masked.input[:2]
    clip = graph.maker(put_back.input[1])
    scaled = graph.maker(next(name for name in graph.maker(clip.input[0]).input if name != "image"))
    change = graph.maker(scaled.input[0])
    graph.add("Cast", [lines], "lines", before=scaled, to=onnx.TensorProto.FLOAT)
    graph.add("Mul", [mask, "lines"], "mask", before=scaled)
    whole = next(name for name in change.input if name != mask)
    scaled.input[0] = graph.add("Mul", ["mask", whole], "covered_change", before=scaled)
    clip.output[0] = "clean"
    graph.remove(masked, put_back)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("network", type=Path, help="ONNX file, written anew")
    path = parser.parse_args().network
    model = onnx.load(path)
    arrange(model)
    save(model, path)


if __name__ == "__main__":
    run(main)
