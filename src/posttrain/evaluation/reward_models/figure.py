"""The figure of a report: the reliability diagram, or best-of-n curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posttrain.errors import MissingExtraError

BLUE, GREY = "#0072B2", "#888888"


def available() -> bool:
    """Whether matplotlib is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def draw(found: Mapping[str, Any], folder: Path, title: str) -> list[Path]:
    """Write figure.png and figure.svg. Raises MissingExtraError without matplotlib."""
    if not available():
        raise MissingExtraError("the figure of a report", "plot")
    from matplotlib.figure import Figure  # not pyplot, which has global state

    figure = Figure(figsize=(4.8, 4.4), dpi=160, layout="constrained")
    axes = figure.add_subplot()
    if "calibration" in found:
        _reliability(axes, found["calibration"])
    else:
        _curves(axes, found["best_of_n"])
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    paths = [folder / f"figure.{suffix}" for suffix in ("png", "svg")]
    for path in paths:
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    return paths


def _reliability(axes: Any, c: Any) -> None:
    x, y = [b.confidence for b in c.bins], [b.right for b in c.bins]
    below, above = [b.right - b.low for b in c.bins], [b.high - b.right for b in c.bins]
    axes.plot((0.5, 1), (0.5, 1), color=GREY, linewidth=0.9, linestyle=":", label="calibrated")
    axes.errorbar(x, y, (below, above), color=BLUE, marker="o", markersize=4.5, linewidth=1.2, label=f"ECE {c.ece:.3f}")
    axes.set_xlim(0.49, 1.01)
    axes.set_xlabel("probability of the answer with the higher score")
    axes.set_ylabel("share that people prefer")


def _curves(axes: Any, curve: Mapping[int, Mapping[str, float]]) -> None:
    ns = list(curve)
    axes.plot(ns, [curve[n]["perfect"] for n in ns], color=GREY, linestyle=":", marker="s", label="perfect judge")
    axes.plot(ns, [curve[n]["own"] for n in ns], color=BLUE, marker="o", label="best by score")
    axes.set_xscale("log", base=2)
    axes.set_xlabel("n")
    axes.set_ylabel("share of right answers, best of n")
