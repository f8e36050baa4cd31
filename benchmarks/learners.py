"""How does the gain of each method fall as its speaker gets worse?

    python benchmarks/learners.py [--only worlds/lmgt ...] [--repeats 6]

Each method runs with a scripted speaker of accuracy 0.5 to 1.0, at several seeds of speaker and learner, against the
same learner without help. Numbers go to docs/learners.json (of methods that are run again, the rest stays), the figure
to docs/learners.png.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import posttrain
from posttrain.evaluation.statistics import mean_interval

DOCS = Path(__file__).parents[1] / "docs"
ACCURACIES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
HUNDRED = {"q": {"episodes": 100}}
METHODS: dict[str, dict[str, Any]] = {  # settings beside the defaults
    "worlds/guided_q": HUNDRED,
    "worlds/lmgt": HUNDRED,
    "worlds/potential_shaping": HUNDRED,
    "worlds/calm": HUNDRED,
    "worlds/ellm": {"q": {"episodes": 40}},
    "worlds/task_explore": {},
    "worlds/linvit": {},
    "worlds/slinvit": {"options": {"foods": 2}},
    "worlds/instruct_rl": {},
    "worlds/deep_q": {"options": {"size": 2}, "episodes": 15},  # each update of a network takes its time
}
SEEDS = {"worlds/slinvit": {}, "worlds/instruct_rl": {"seeds": 4}}  # of one run; 1 for the others


def gain(method: str, accuracy: float, seed: int) -> dict[str, float]:
    """One run: what the help was worth."""
    own = METHODS[method] | SEEDS.get(method, {"seeds": 1})
    with tempfile.TemporaryDirectory() as folder:
        return posttrain.train(
            procedure={"path": method, **own},
            models={"speaker": {"scripted": {"accuracy": accuracy, "seed": seed}}},
            seed=seed,
            output=folder,
            display=None,
        ).metrics


def sweep(method: str, repeats: int) -> dict[str, Any]:
    """The gain at each accuracy with its 95% interval over the seeds, and what the learner alone earns."""
    points, alone = [], []
    for accuracy in ACCURACIES:
        runs = [gain(method, accuracy, seed) for seed in range(repeats)]
        mean, low, high = mean_interval([run["gain"] for run in runs])
        alone = [run["alone"] for run in runs]
        points.append({"accuracy": accuracy, "gain": round(mean, 4), "low": round(low, 4), "high": round(high, 4)})
    return {"alone": round(mean_interval(alone)[0], 4), "points": points}


def draw(found: dict[str, Any]) -> None:
    """A panel for each method."""
    from matplotlib.figure import Figure

    columns = 3
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(8.4, 2.3 * rows), dpi=130, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False).flat
    for (method, sweep_), axes in zip(found.items(), panels, strict=False):
        x, y, low, high = zip(*((p["accuracy"], p["gain"], p["low"], p["high"]) for p in sweep_["points"]), strict=True)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.fill_between(x, low, high, color="#0072B2", alpha=0.18, linewidth=0)
        axes.plot(x, y, color="#0072B2", marker="o", markersize=3.5, linewidth=1.6)
        axes.set_title(method, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in list(panels):
        axes.set_visible(False)
    figure.supxlabel("accuracy of the speaker", fontsize=9)
    figure.supylabel("gain in return over the learner alone", fontsize=9)
    figure.savefig(DOCS / "learners.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(METHODS))
    parser.add_argument("--repeats", type=int, default=6)
    a = parser.parse_args()
    file = DOCS / "learners.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    for method in a.only:
        found[method] = sweep(method, a.repeats)
        line = "  ".join(
            f"{p['accuracy']}: {p['gain']:+.3f} [{p['low']:+.3f}, {p['high']:+.3f}]" for p in found[method]["points"]
        )
        print(f"{method}, alone {found[method]['alone']}\n  {line}")
        found = {name: found[name] for name in METHODS if name in found}
        file.write_text(json.dumps(found, indent=1) + "\n")
    draw(found)


if __name__ == "__main__":
    main()
