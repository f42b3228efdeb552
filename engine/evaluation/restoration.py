"""How like the clean photo a meshed one is, as it came and after each way to take its mesh out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import Engine, FaceNotFound
from engine.evaluation import baselines
from engine.evaluation.intervals import Mean, Rate, grouped, mean_of
from engine.evaluation.meshed import Pair
from engine.images import Pixels

MESHED, DESCREENED = "meshed", "descreened"
METHODS = (MESHED, DESCREENED, "notch filter", "median filter", "inpaint with true mask")
HEADER = ("pairs", "PSNR, dB", "5 %", "on lines", "SSIM", "of luma", "cosine", "5 %", "recognised")

Row = dict[str, float | str]
"""Of one pair and method: method, name, photo (a number for each clean file), score, the pair's
groups, psnr, ssim, "luma ssim", and where they exist "line psnr" (there are lines), cosine (the
clean photo shows a face), recognised (descreened)."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of several rows of one method; psnr_5 and cosine_5 are 5th percentiles.

    ssim: by colour channel, in 7 x 7 windows. luma_ssim: of the luma, in Gaussian windows, as
    Wang et al., "Image quality assessment" (TIP 2004) define it.
    """

    pairs: int
    psnr: Mean
    psnr_5: float
    line_psnr: Mean
    ssim: Mean
    luma_ssim: Mean
    cosine: Mean
    cosine_5: float
    recognised: Rate | None

    def cells(self) -> list[str]:
        """In the order of HEADER."""
        return [
            str(self.pairs),
            f"{self.psnr:.2f}",
            f"{self.psnr_5:.2f}",
            f"{self.line_psnr:.2f}",
            f"{self.ssim:.4f}",
            f"{self.luma_ssim:.4f}",
            f"{self.cosine:.4f}",
            "none" if math.isnan(self.cosine_5) else f"{self.cosine_5:.4f}",
            "" if self.recognised is None else str(self.recognised),
        ]

    def plain(self) -> dict[str, Any]:
        """As JSON has them; means with half the width of their interval."""
        means = {
            name: getattr(self, name).plain()
            for name in ("psnr", "line_psnr", "ssim", "luma_ssim", "cosine")
        }
        return {
            "pairs": self.pairs,
            **means,
            "psnr_5": self.psnr_5,
            "cosine_5": None if math.isnan(self.cosine_5) else self.cosine_5,
            "recognised": self.recognised and self.recognised.plain(),
        }


def judge(engine: Engine, pair: Pair) -> list[Row]:
    """One row for each of METHODS."""
    result = engine.descreen(pair.meshed)
    pictures = (
        pair.meshed,
        result.image,
        baselines.notch(pair.meshed),
        baselines.median(pair.meshed),
        baselines.inpaint(pair.meshed, pair.mask),
    )
    truth = _embedding(engine, pair.clean)
    rows = []
    for method, picture in zip(METHODS, pictures, strict=True):
        row: Row = {"method": method, "name": pair.name, "photo": pair.photo, **pair.groups}
        row |= {"score": result.mesh_score, **_likeness(picture, pair)}
        if truth is not None:
            vector = _embedding(engine, picture)
            row["cosine"] = 0.0 if vector is None else float(vector @ truth)
        if method == DESCREENED:
            row["recognised"] = float(result.changed)
        rows.append(row)
    return rows


def of(rows: Sequence[Row], method: str, key: str = "", value: str = "") -> list[Row]:
    """A method's rows, all of them or those of one group."""
    return [r for r in rows if r["method"] == method and (not key or r.get(key) == value)]


def column(rows: Sequence[Row], key: str) -> NDArray[np.float64]:
    """The values of the rows that have it, (N,)."""
    return np.array([row[key] for row in rows if key in row], np.float64)


def figures(rows: Sequence[Row]) -> Figures:
    """Draws of one photo are alike: the intervals are over photos."""
    psnrs, cosines, seen = (column(rows, key) for key in ("psnr", "cosine", "recognised"))
    return Figures(
        pairs=len(rows),
        psnr=mean_of(psnrs, _photos(rows, "psnr")),
        psnr_5=float(np.percentile(psnrs, 5)),
        line_psnr=mean_of(column(rows, "line psnr"), _photos(rows, "line psnr")),
        ssim=mean_of(column(rows, "ssim"), _photos(rows, "ssim")),
        luma_ssim=mean_of(column(rows, "luma ssim"), _photos(rows, "luma ssim")),
        cosine=mean_of(cosines, _photos(rows, "cosine")),
        cosine_5=float(np.percentile(cosines, 5)) if len(cosines) else math.nan,
        recognised=grouped(seen > 0, _photos(rows, "recognised")) if len(seen) else None,
    )


def _photos(rows: Sequence[Row], key: str) -> NDArray[np.int64]:
    """A number from 0 for the photo of each row that has the key, (N,)."""
    photos = [row["photo"] for row in rows if key in row]
    return np.asarray(np.unique(photos, return_inverse=True)[1], np.int64)


def psnr(squared_error: NDArray[np.float64]) -> float:
    """Peak signal to noise ratio in dB for a peak of 255, at most 99."""
    mean = float(squared_error.mean())
    return 99.0 if mean == 0 else min(99.0, 10 * math.log10(255**2 / mean))


def _likeness(picture: Pixels, pair: Pair) -> Row:
    from skimage.metrics import structural_similarity

    error = (picture.astype(np.float64) - pair.clean) ** 2
    lines = pair.mask > 0.5
    similar = structural_similarity(picture, pair.clean, channel_axis=2, data_range=255)
    lumas = [cv2.cvtColor(one, cv2.COLOR_BGR2GRAY) for one in (picture, pair.clean)]
    in_light = structural_similarity(
        *lumas, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    row: Row = {"psnr": psnr(error), "ssim": float(similar), "luma ssim": float(in_light)}
    if lines.any():
        row["line psnr"] = psnr(error[lines])
    return row


def _embedding(engine: Engine, picture: Pixels) -> NDArray[np.float32] | None:
    try:
        return engine.embed(picture)
    except FaceNotFound:
        return None
