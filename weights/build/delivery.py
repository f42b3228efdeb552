"""What a training has made takes the place of what a pack has."""

import re
import shutil
from pathlib import Path

from origin import sha256

from engine.errors import EngineError
from engine.manifests import MANIFEST


def check_place(out: Path) -> None:
    """Raises EngineError where there is no folder for such a file: said before hours of work."""
    if not out.absolute().parent.is_dir():
        raise EngineError(f"--out {out}: there is no such folder")


def deliver(built: Path, out: Path) -> None:
    """Puts a finished file in its place, as a whole, and prints its sha256, which also takes the
    place of the one that the manifest beside it has for a file of that name."""
    new = out.with_name(f"{out.name}.new")
    shutil.copyfile(built, new)
    digest = sha256(new.read_bytes())
    new.replace(out)
    print(f"{out.name}: {out.stat().st_size} bytes, sha256 {digest}")
    manifest = out.with_name(MANIFEST)
    if not manifest.exists():
        return
    listed = rf'(?m)^(file = "{re.escape(out.name)}"\nsha256 = ")[0-9a-f]{{64}}"$'
    text, count = re.subn(listed, rf'\g<1>{digest}"', manifest.read_text("utf-8"))
    if count:
        new = manifest.with_suffix(".new")
        new.write_text(text, "utf-8")
        new.replace(manifest)
        print(f"{manifest}: its sha256 is there; the figures beside it are of the file before")
