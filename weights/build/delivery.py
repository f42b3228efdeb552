"""What a training has made takes the place of what a pack has."""

import re
import shutil
from pathlib import Path

from origin import sha256

from engine.errors import EngineError
from engine.evaluation.replacing import replacing
from engine.manifests import MANIFEST


def check_place(out: Path) -> None:
    """Raises EngineError where no such file can be: said before hours of work."""
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise EngineError(f"--out {out}: name a file in a folder that is there")


def deliver(built: Path, out: Path) -> None:
    """Puts a finished file in its place, as a whole, and prints its sha256, which also takes the
    place of the one that the manifest beside it has for a file of that name."""
    with replacing(out) as new:
        shutil.copyfile(built, new)
    digest = sha256(out.read_bytes())
    print(f"{out.name}: {out.stat().st_size} bytes, sha256 {digest}")
    manifest = out.with_name(MANIFEST)
    text = manifest.read_bytes().decode("utf-8") if manifest.exists() else ""
    named = rf'(?m)^(file = "{re.escape(out.name)}"\r?\nsha256 = ")[0-9a-f]{{64}}"'
    renewed, count = re.subn(named, rf'\g<1>{digest}"', text)
    if count:
        with replacing(manifest) as new:
            new.write_bytes(renewed.encode("utf-8"))
        print(f"{manifest}: its sha256 is there; the figures beside it are of the file before")
    elif out.name in text:
        print(f"{manifest}: put that sha256 where {out.name} is listed")
