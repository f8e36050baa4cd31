"""How the gain of a search over prompts falls as the speaker that writes them gets worse.

    python benchmarks/prompts.py [--seeds 10]

A scripted speaker is right with probability 0.5 to 1.0. GPO and DRPO look for five planted sentences; their baselines
are the first prompt, which holds none, and as many edits drawn at random. EvoLLM minimises a sphere; its baseline is
the canonical evolution strategy. Numbers go to docs/prompts.json, the figure to docs/prompts.png. It takes seconds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from posttrain.config.load import load
from posttrain.evaluation.statistics import mean_interval
from posttrain.launch.checks import procedure_of
from posttrain.launch.run import open_session
from posttrain.search.prompts.planted import FILLERS

DOCS = Path(__file__).parents[1] / "docs"
PLANTED = ["Think step by step.", "Check your answer.", "Be brief.", "Use whole numbers.", "Give a reason."]
ROUNDS = 5
AT_RANDOM = 1 - (1 - 1 / (len(PLANTED) + len(FILLERS))) ** ROUNDS  # the share that random sentences hold, exactly
ACCURACIES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SEARCHES: dict[str, dict[str, Any]] = {
    "gpo": {"path": "gpo", "planted": PLANTED, "rounds": ROUNDS, "candidates": 1},
    "drpo": {"path": "drpo", "planted": PLANTED, "rounds": ROUNDS, "width": 1, "actions": 1, "extra": 0},
    "evollm": {"path": "evollm", "rounds": 12, "sigma": 0.4},
}
MEASURED = {"gpo": "held_out/after", "drpo": "held_out/after", "evollm": "mean_fitness"}


def found(name: str, accuracy: float, seed: int, **settings: Any) -> float:
    """What one search finds: the share of the planted sentences, or minus the sphere of the last mean."""
    run = load(
        {
            "procedure": {**SEARCHES[name], **settings},
            "models": {"speaker": {"scripted": {"accuracy": accuracy, "seed": seed}}},
            "seed": seed,
        }
    )
    with open_session(run, write=False) as session:
        assert run.procedure is not None
        return procedure_of(run)(session, **run.procedure.settings)[MEASURED[name]]


def swept(name: str, seeds: int) -> dict[str, Any]:
    """The mean and its 95% interval over seeds at every accuracy, and those of the baseline."""

    def over(accuracy: float, **settings: Any) -> tuple[float, float, float]:
        return mean_interval([found(name, accuracy, seed, **settings) for seed in range(seeds)])

    baseline = over(1.0, recombine="weighted") if name == "evollm" else (AT_RANDOM,) * 3
    return {"speaker": {str(q): over(q) for q in ACCURACIES}, "baseline": baseline}


def draw(results: dict[str, Any]) -> None:
    """Draw a panel for each search."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), dpi=140, layout="constrained")
    titles = {
        "gpo": "GPO: share of planted sentences",
        "drpo": "DRPO: share of planted sentences",
        "evollm": "EvoLLM: minus the sphere of the mean",
    }
    for place, (name, result) in enumerate(results.items()):
        axes = figure.add_subplot(1, len(results), place + 1)
        mean, low, high = zip(*result["speaker"].values(), strict=True)
        axes.plot(ACCURACIES, mean, marker="o", color="#0072B2", label="with the speaker")
        axes.fill_between(ACCURACIES, low, high, color="#0072B2", alpha=0.2)
        mean, low, high = result["baseline"]
        axes.axhline(mean, color="#D55E00", linestyle="--", label="canonical" if name == "evollm" else "random edits")
        axes.fill_between(ACCURACIES, low, high, color="#D55E00", alpha=0.15)
        axes.set_title(titles[name], fontsize=9)
        axes.set_xlabel("accuracy of the speaker")
        axes.legend(fontsize=8)
    figure.savefig(DOCS / "prompts.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    results = {name: swept(name, seeds) for name in SEARCHES}
    (DOCS / "prompts.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    draw(results)
    for name, result in results.items():
        print(
            name,
            {q: [round(x, 3) for x in xs] for q, xs in {**result["speaker"], "baseline": result["baseline"]}.items()},
        )


if __name__ == "__main__":
    main()
