"""A report: printed as it grows, and written as one HTML file and one of figures."""

import base64
import html
import io
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from engine.errors import ImageError
from engine.evaluation.replacing import replacing
from engine.images import Pixels, encode, load

THUMBNAIL = 128
STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;margin:.5em 0 1.5em}
td,th{padding:.25em .8em;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}
figure{display:inline-block;margin:.5em}img{max-width:100%}
figcaption{font-size:85%;color:#555}"""


class Report:
    """Sections in the order in which they are added."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._parts = [f"<h1>{html.escape(title)}</h1>"]
        print(title)

    def text(self, paragraph: str) -> None:
        print(paragraph)
        self._parts.append(f"<p>{html.escape(paragraph)}</p>")

    def table(self, heading: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        cells = [[str(cell) for cell in row] for row in [header, *rows]]
        widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
        print(f"\n{heading}")
        for row in cells:
            first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            print("  " + "  ".join([first.strip().ljust(widths[0]), *rest]).rstrip())
        lines = [_line("th", cells[0]), *(_line("td", row) for row in cells[1:])]
        self._parts.append(f"<h2>{html.escape(heading)}</h2><table>{''.join(lines)}</table>")

    def figure(self, caption: str, drawing: Any) -> None:
        """A matplotlib figure; it is closed."""
        from matplotlib import pyplot

        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # of names, where no font has it
            drawing.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
        pyplot.close(drawing)
        self._parts.append(_picture(buffer.getvalue(), "png", caption))

    def picture(self, caption: str, pixels: Pixels) -> None:
        """(H, W, 3) uint8 BGR."""
        self._parts.append(_picture(encode(pixels, "jpeg"), "jpeg", caption))

    def thumbnails(self, heading: str, cases: Sequence[tuple[str, Sequence[Path]]]) -> None:
        """Cases of a label and its photos, named with their folder."""
        self._parts.append(f"<h2>{html.escape(heading)}</h2>")
        for label, paths in cases:
            pictures = "".join(_thumbnail(path) for path in paths)
            caption = " · ".join([label, *(f"{path.parent.name}/{path.name}" for path in paths)])
            self._parts.append(
                f"<figure>{pictures}<figcaption>{html.escape(caption)}</figcaption></figure>"
            )

    def sheets(self, folder: Path, pictures: Mapping[str, Pixels | None]) -> None:
        """Files of their own by name, JPEG; None takes away what an earlier report left there."""
        for name, pixels in pictures.items():
            file = folder / f"{name}.jpg"
            file.unlink(missing_ok=True)
            if pixels is not None:
                with replacing(file) as new:
                    new.write_bytes(encode(pixels, "jpeg"))
                print(f"written: {file}")

    def write(
        self, folder: Path, metrics: dict[str, Any], made_with: Mapping[str, Any] | None = None
    ) -> None:
        """report.html, which needs no other file, and metrics.json, where what is not finite is
        null. made_with: as provenance() tells; it is in both."""
        folder.mkdir(parents=True, exist_ok=True)
        if made_with:
            metrics = {"made_with": made_with, **metrics}
            lines = json.dumps(_plain(made_with), indent=1, ensure_ascii=False)
            self._parts.append(f"<h2>Made with</h2><pre>{html.escape(lines)}</pre>")
        head = f"<meta charset=utf-8><title>{html.escape(self._title)}</title>"
        page = f"<!doctype html>{head}<style>{STYLE}</style>" + "\n".join(self._parts)
        # A file's name may be of another encoding than the system's: its odd bytes are shown.
        with replacing(folder / "report.html") as new:
            new.write_text(page + "\n", "utf-8", "backslashreplace")
        with replacing(folder / "metrics.json") as new:
            new.write_text(json.dumps(_plain(metrics), indent=1) + "\n", "utf-8")
        print(f"\nwritten: {folder / 'report.html'}, {folder / 'metrics.json'}")


def _plain(value: Any) -> Any:
    """Of mappings, lists and numbers, as JSON has them: it knows neither NaN nor infinity."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _line(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _picture(data: bytes, kind: str, caption: str = "") -> str:
    image = f'<img src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'
    if not caption:
        return image
    return f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _thumbnail(path: Path) -> str:
    try:
        image = load(path)
    except ImageError as error:
        return html.escape(f"[{error}]")
    scale = THUMBNAIL / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _picture(encode(small.astype("uint8"), "jpeg"), "jpeg")
