"""Plots of error rates and other figures (matplotlib)."""

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.statistics import ErrorRates

Floats = NDArray[np.float64]
COLOURS = ("#1f6fb4", "#d1495b", "#3a8f5c", "#8a5fb0", "#c98a1b")
CHINESE = (
    *("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei"),
    *("Microsoft YaHei", "SimHei", "PingFang SC", "Heiti TC"),
)
"""Fonts for names that matplotlib's own cannot show, as far as they are installed."""


def _axes(title: str, across: str, up: str) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["text.parse_math"] = False  # names may hold a $
    from matplotlib import font_manager, pyplot

    installed = {font.name for font in font_manager.fontManager.ttflist}
    fonts = [name for name in CHINESE if name in installed]
    matplotlib.rcParams["font.family"] = ["DejaVu Sans", *fonts]
    figure, axes = pyplot.subplots(figsize=(6, 4.2))
    axes.set(title=title, xlabel=across, ylabel=up)
    axes.grid(alpha=0.3, which="both")
    return figure, axes


def _shown(name: str) -> str:
    """A name as matplotlib takes it, which has no room for bytes that are not UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()


def _in_decades(*logarithmic: Any) -> None:
    """Ticks as plain numbers: matplotlib writes powers as formulas, which are not set here."""
    for axis in logarithmic:
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")


def det(systems: Mapping[str, tuple[ErrorRates, float]]) -> Any:
    """FNMR against FMR, both logarithmic, with 95 % bands and each system's threshold."""
    figure, axes = _axes("DET, band: 95 % of bootstraps over people", "FMR", "FNMR")
    lowest = 1.0
    for rates, _ in systems.values():
        lowest = min(lowest, 1 / max(len(rates.impostor), 1), 1 / max(len(rates.genuine), 1))
    floor = max(lowest, 1e-4)
    for colour, (name, (rates, threshold)) in zip(cycle(COLOURS), systems.items(), strict=False):
        _, fmr, fnmr = rates.curve()
        fmr_band, fnmr_band = rates.bands()
        shown = fmr > 0
        axes.plot(fmr[shown], fnmr[shown], color=colour, label=_shown(name))
        axes.fill_between(fmr[shown], *fnmr_band[:, shown], color=colour, alpha=0.2, lw=0)
        axes.fill_betweenx(fnmr[shown], *fmr_band[:, shown], color=colour, alpha=0.12, lw=0)
        errors = rates.fmr(threshold).value, rates.fnmr(threshold).value
        none = ", at the edge: no error" * (min(errors) == 0)  # there is no 0 on these axes
        point = max(errors[0], lowest), max(errors[1], floor)
        label = f"threshold {threshold:.3f}{none}"
        axes.plot(*point, "o", color=colour, label=label, clip_on=False)
    axes.set(xscale="log", yscale="log", xlim=(lowest, 1), ylim=(floor, 1))
    _in_decades(axes.xaxis, axes.yaxis)
    axes.legend()
    return figure


def roc(systems: Mapping[str, tuple[ErrorRates, float]]) -> Any:
    """True match rate against FMR, with 95 % bands."""
    figure, axes = _axes("ROC, band: 95 % of bootstraps over people", "FMR", "1 − FNMR")
    for colour, (name, (rates, threshold)) in zip(cycle(COLOURS), systems.items(), strict=False):
        _, fmr, fnmr = rates.curve()
        shown = fmr > 0
        axes.plot(fmr[shown], 1 - fnmr[shown], color=colour, label=_shown(name))
        band = 1 - rates.bands()[1][:, shown]
        axes.fill_between(fmr[shown], *band, color=colour, alpha=0.2, lw=0)
        at = rates.fmr(threshold).value
        if at > 0:
            axes.axvline(at, color=colour, ls=":", label=f"threshold {threshold:.3f}")
    axes.set(xscale="log")
    _in_decades(axes.xaxis)
    axes.legend(loc="lower right")
    return figure


def histogram(
    title: str, across: str, groups: Mapping[str, Floats], threshold: float | None = None
) -> Any:
    """Shares of several groups of values, with the threshold drawn in where there is one."""
    figure, axes = _axes(title, across, "share of the group")
    values = [group for group in groups.values() if len(group)]
    low, high = min(group.min() for group in values), max(group.max() for group in values)
    edges = np.linspace(low, max(high, low + 1e-6), 80)
    for colour, (name, group) in zip(cycle(COLOURS), groups.items(), strict=False):
        if len(group):
            weights = np.full(len(group), 1 / len(group))
            axes.hist(group, edges, weights=weights, color=colour, alpha=0.25)
            axes.hist(
                group, edges, weights=weights, color=colour, histtype="step", label=_shown(name)
            )
    if threshold is not None:
        axes.axvline(threshold, color="black", ls="--", label=f"threshold {threshold:.3f}")
    axes.set(yscale="log")
    _in_decades(axes.yaxis)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))  # beside the tails, which are what counts
    return figure


def lines(title: str, across: str, up: str, curves: Mapping[str, tuple[Floats, Floats]]) -> Any:
    """Plain curves."""
    figure, axes = _axes(title, across, up)
    for colour, (name, (x, y)) in zip(cycle(COLOURS), curves.items(), strict=False):
        axes.plot(x, y, color=colour, label=_shown(name))
    axes.legend()
    return figure


def spans(title: str, across: str, groups: Mapping[str, tuple[float, float, float]]) -> Any:
    """Of every group a dot between two ends (low, middle, high), above 0, the first on top."""
    figure, axes = _axes(title, across, "")
    low, middle, high = np.array([*groups.values()]).T
    rows = np.arange(len(groups))
    axes.hlines(rows, low, high, color=COLOURS[0], alpha=0.5, lw=3)
    axes.plot(middle, rows, "o", color=COLOURS[0])
    axes.set(xscale="log", yticks=rows, yticklabels=[_shown(name) for name in groups])
    axes.invert_yaxis()
    _in_decades(axes.xaxis)
    return figure
