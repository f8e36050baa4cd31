"""How the gain of a search over prompts falls as the speaker that writes them gets worse.

    python benchmarks/prompts.py [--seeds 8]

A scripted speaker is right with probability 0.5 to 1.0. GPO and DRPO look for five planted sentences; their baselines
are the first prompt, which holds none, and as many edits drawn at random. EvoLLM minimises a sphere; its baseline is
the canonical evolution strategy. `principles` compares 26 ways to ask, each of them better than the plain question on a
planted share of the questions, from 0 to 1; its judge has the accuracy, and its baseline is a way drawn at random, 1/2.
Numbers go to docs/prompts.json, the figure to docs/prompts.png. It takes seconds.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, cast

from posttrain.config.load import load
from posttrain.evaluation.statistics import mean_interval
from posttrain.launch.checks import procedure_of
from posttrain.launch.run import open_session
from posttrain.learners.speaker import Question, Scripted
from posttrain.procedures.prompts.principles import principles
from posttrain.records import Prompt
from posttrain.search.prompts.planted import FILLERS
from posttrain.search.prompts.principles import PRINCIPLES
from posttrain.seeds import seed_for

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
QUESTIONS = 12  # that the ways to ask are compared on
QUALITIES = ("poor", "fair", "good")  # of answers; the plain question gets a fair one
MEASURED = {"gpo": "held_out/after", "drpo": "held_out/after", "evollm": "mean_fitness"}


class Planted:
    """Stands in for the session of `principles`: answers of planted quality, and a judge of stated accuracy."""

    def __init__(self, accuracy: float, seed: int) -> None:
        places = [*range(len(PRINCIPLES))]
        Random(seed).shuffle(places)
        self.shares = {name: at / (len(places) - 1) for name, at in zip(PRINCIPLES, places, strict=True)}
        self.judge, self.seed = Scripted(accuracy, seed), seed

    def ask(self, name: str, role: str, asked: Sequence[Any], **how: Any) -> list[tuple[str]]:
        """Answer: well on the planted share of the questions, poorly on the others."""
        del role, how
        if name not in self.shares:
            return [(f"fair: {name}",)] * len(asked)
        better = set(Random(seed_for(self.seed, name)).sample(range(len(asked)), round(self.shares[name] * len(asked))))
        return [(f"{'good' if i in better else 'poor'}: {name}",) for i in range(len(asked))]

    def choose(self, name: str, role: str, asked: Sequence[Any], options: tuple[str, ...]) -> list[tuple[float, ...]]:
        """Say which answer is better: one that is right with the accuracy of the judge says so in both orders."""
        del name, role
        texts = [turns[0]["content"] for turns in asked]
        said = self.judge.answer([Question(text, options, truth(text)) for text in texts])
        return [tuple(float(option == reply) for option in options) for reply in said]

    def artefact(self, name: str, found: dict[str, Any]) -> None:
        """Keep nothing."""

    def advance(self, *progress: Any) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


def truth(request: str) -> str:
    """Return which of two answers is better, A or B, from their planted quality."""
    first, second = (QUALITIES.index(quality) for quality in re.findall(r"<answer_[AB]>\n(\w+):", request))
    return "A" if first > second else "B"


def chosen(accuracy: float, seed: int) -> float:
    """Return on which share of the questions the way to ask that wins most often is really better than none."""
    planted = Planted(accuracy, seed)
    wins = principles(cast("Any", planted), cast("Any", [Prompt(i, f"Question {i}?") for i in range(QUESTIONS)]))
    return planted.shares[max(wins, key=lambda name: wins[name]).removeprefix("win/")]


def found(name: str, accuracy: float, seed: int, **settings: Any) -> float:
    """What one search finds: the share of what is planted, or minus the sphere of the last mean."""
    if name == "principles":
        return chosen(accuracy, seed)
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

    if name == "evollm":
        baseline = over(1.0, recombine="weighted")
    else:
        baseline = (0.5 if name == "principles" else AT_RANDOM,) * 3
    return {"speaker": {str(q): over(q) for q in ACCURACIES}, "baseline": baseline}


def draw(results: dict[str, Any]) -> None:
    """Draw a panel for each search."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3), dpi=140, layout="constrained")
    titles = {
        "gpo": "GPO: share of planted sentences",
        "drpo": "DRPO: share of planted sentences",
        "evollm": "EvoLLM: minus the sphere of the mean",
        "principles": "principles: share of questions helped",
    }
    without = {"evollm": "canonical", "principles": "a way at random"}
    for place, (name, result) in enumerate(results.items()):
        axes = figure.add_subplot(1, len(results), place + 1)
        mean, low, high = zip(*result["speaker"].values(), strict=True)
        axes.plot(ACCURACIES, mean, marker="o", color="#0072B2", label="with the speaker")
        axes.fill_between(ACCURACIES, low, high, color="#0072B2", alpha=0.2)
        mean, low, high = result["baseline"]
        axes.axhline(mean, color="#D55E00", linestyle="--", label=without.get(name, "random edits"))
        axes.fill_between(ACCURACIES, low, high, color="#D55E00", alpha=0.15)
        axes.set_title(titles[name], fontsize=9)
        axes.set_xlabel("accuracy of the speaker")
        axes.legend(fontsize=8)
    figure.savefig(DOCS / "prompts.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    seeds = parser.parse_args().seeds
    results = {name: swept(name, seeds) for name in (*SEARCHES, "principles")}
    (DOCS / "prompts.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    draw(results)
    for name, result in results.items():
        print(
            name,
            {q: [round(x, 3) for x in xs] for q, xs in {**result["speaker"], "baseline": result["baseline"]}.items()},
        )


if __name__ == "__main__":
    main()
