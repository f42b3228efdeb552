"""A model folder of the insightface package: which networks it holds, where no manifest says so."""

import hashlib
import importlib
from pathlib import Path
from typing import Any

from engine.errors import WeightsError

ZOO = "insightface"
"""The kind of its networks, and the package's name."""

ZOO_MANIFEST = "manifest.json"

INSTALL = (
    "pip install onnx requests scikit-image scipy tqdm && pip install --no-deps insightface==2.1"
)
"""insightface beside this engine: by itself it brings other builds of OpenCV and onnxruntime."""

LICENCE = "non-commercial research only, unless its owner granted you more"
UNCALIBRATED_COSINE = 0.55
"""Where a folder without a manifest is cut: a light ArcFace network has FMR 1e-3 there on pairs of
East Asian women. weights/build/calibrate.py measures a pack's own."""


def implied_manifest(folder: Path) -> dict[str, Any]:
    """What pack.toml would say of a model folder as insightface unpacks it.

    Raises WeightsError when there is not exactly one detector and one embedding network, for a
    file that is none, and where insightface is not installed.
    """
    if not any((*folder.glob("*.onnx"), *folder.glob(ZOO_MANIFEST))):
        raise WeightsError(f"{folder} is no model pack: it has no pack.toml, and no ONNX file")
    roles: dict[str, list[Path]] = {"detector": [], "embedding": []}
    described = described_roles(folder)
    for path in sorted(folder.glob("*.onnx")):
        role = described.get(path.resolve()) if described else _role(path)
        if role:
            roles[role].append(path)
    for role, paths in roles.items():
        if len(paths) != 1:
            names = ", ".join(path.name for path in paths) or "none"
            raise WeightsError(
                f"{folder} has no pack.toml and not exactly one {role} network ({names}): "
                "write a pack.toml (see weights/README.md)"
            )
    sections = {
        role: {
            "kind": ZOO,
            "file": paths[0].name,
            "sha256": hashlib.sha256(paths[0].read_bytes()).hexdigest(),
            "licence": LICENCE,
            "commercial_use": False,
            "origin": "an insightface model folder without a manifest",
        }
        for role, paths in roles.items()
    }
    return {
        "pack": {"name": folder.name, "extends": "default"},
        "similarity": {"cosine": UNCALIBRATED_COSINE, "steepness": 12.0},
        **sections,
    }


def described_roles(folder: Path) -> dict[Path, str]:
    """The files' roles by insightface's own manifest.json; none where there is no such file.

    Raises WeightsError for a manifest.json that insightface does not read.
    """
    zoo = require("insightface.model_zoo.package_manifest")
    if not zoo.has_model_package_manifest(folder):
        return {}
    try:
        tasks = zoo.load_model_package(folder).tasks
    except (OSError, TypeError, ValueError) as error:
        raise WeightsError(f"{folder}: insightface's manifest.json: {error}") from error
    named = {"detection": "detector", "recognition": "embedding"}
    return {tasks[task].path: role for task, role in named.items() if task in tasks}


def _role(path: Path) -> str | None:
    """Told by the shapes of inputs and outputs, as insightface itself routes a file."""
    onnx = require("onnx")
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except Exception as error:  # protobuf's errors have no base of their own
        raise WeightsError(f"{path} is no ONNX network: {error}") from error
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    if len(graph.output) >= 5:
        return "detector"
    if not inputs:
        return None
    sides = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim[2:]]
    if len(inputs) == 1 and len(graph.output) == 1 and sides == [112, 112]:
        return "embedding"
    return None


def require(module: str) -> Any:
    """A module of insightface, or one that it needs. Raises WeightsError where that is missing.

    It takes a second to import and is wanted by few, so it is imported here only.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise WeightsError(
            f"this pack needs the insightface package, and {error.name} is not installed: {INSTALL}"
        ) from error
