"""Demonstrations of GRPO: a pretrained model learns to add, tiny ones to spell words backwards or use a calculator.

Both measure accuracy on held-out problems before and after, with intervals and an exact test, and save the model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from posttrain.cli.tool_demonstration import TOOLS, teach
from posttrain.config.load import load, resolved
from posttrain.core.method import MAIN
from posttrain.data.dataset import load as load_data
from posttrain.evaluation.statistics import sign_test, wilson
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from posttrain.runs.card import write_card
from posttrain.runs.ending import FINISHED
from posttrain.training.evaluation import Evaluation
from posttrain.training.session import Session
from posttrain.turns import last_message
from posttrain.viewer.display import Display

SMOLLM2: dict[str, Any] = {
    "model": "smollm2",
    "method": {"path": "online/grpo", "kl.weight": 0},
    "data": "arithmetic",
    "rewards": ["math_answer"],
    "sampling": {"max_tokens": 20, "samples": 8, "slots": 128},
    "train": {"steps": 20, "prompts_per_step": 12, "learning_rate": 2.0e-5, "max_seconds": 390},
    "evaluate": {"data": "arithmetic:split=test,size=200"},
}
TINY: dict[str, Any] = {
    "model": "tiny",
    "method": {"path": "online/grpo", "kl.weight": 0, "passes": 2},
    "data": "reverse_text:chat=false,size=7000",
    "rewards": ["exact_match"],
    "sampling": {"max_tokens": 6, "samples": 8, "slots": 512},
    "train": {"steps": 60, "prompts_per_step": 64, "learning_rate": 2.0e-3},
    "evaluate": {"data": "reverse_text:chat=false,split=test,size=200"},
}
TEACH: dict[str, Any] = {"steps": 30, "prompts_per_step": 64, "learning_rate": 3.0e-3}
DEMOS: dict[str, Mapping[str, Any]] = {"smollm2": SMOLLM2, "tiny": TINY, "tools": TOOLS}


@dataclass
class Accuracy:
    """Scores of answers to held-out problems, 0 or 1 each: `greedy`, and `sampled` at temperature 1."""

    greedy: Evaluation
    sampled: Evaluation

    def line(self) -> str:
        """Return the accuracies in one line, the greedy one with its 95% interval."""
        greedy, n = num_correct(self.greedy), len(self.greedy.scores)
        low, high = wilson(greedy, n)
        return f"greedy {greedy / n:6.1%} [{low:.1%}, {high:.1%}]   sampled {self.sampled.reward:6.1%}   n = {n}"


@dataclass
class Outcome:
    """The result of a demonstration, printed as the line `RESULT {json}`; accuracies are fractions of `n` problems."""

    before: float
    after: float
    before_sampled: float
    after_sampled: float
    n: int
    p_value: float
    seconds: float
    model_dir: str
    ended_early: str | None = None  # why some steps are missing, if some are
    examples: list[tuple[str, str, str]] = field(default_factory=list)  # question, answer before, answer after

    def as_json(self) -> dict[str, Any]:
        """Return every field but the examples."""
        return {k: v for k, v in asdict(self).items() if k != "examples"}


def run(name: str, report: Callable[[str], None], display: Display, output: Path, seed: int = 0) -> Outcome:
    """Run one of DEMOS on a display; measured accuracies go to `report`, a line at a time."""
    started = time.monotonic()
    settings = load({**DEMOS[name], "output": str(output), "seed": seed})
    with open_session(settings, display=display) as session, display:
        report(f"model    {name}, ready after {time.monotonic() - started:.0f} s")
        if name == "tiny":
            report("teach    supervised fine-tuning from random weights, until some answers are correct")
            session.train("imitation/sft", load_data(settings.data[MAIN].path, "demonstrations"), rewards=(), **TEACH)
        if name == "tools":
            teach(session, report)
        before = measure(session)
        report(f"before   {before.line()}")
        assert settings.method is not None
        data = load_data(settings.data[MAIN].path, "prompts")
        session.train(settings.method.path, data, settings=settings.method.settings)
        after = measure(session)
        report(f"after    {after.line()}")
        folder = session.save("policy")
        why, journal = session.run.ended_early, session.run.journal
        how = {"how": "early", "why": why} if why else {"how": FINISHED}
        measured = [f"- before: {before.line()}", f"- after: {after.line()}"]
        journal.describe(ended={**how, "steps": journal.steps, "evaluations": measured})
        write_card(folder, resolved(settings), measured)
    made = outcome(before, after, time.monotonic() - started, folder)
    made.ended_early = why
    return made


def measure(session: Session) -> Accuracy:
    """Answer the held-out problems, greedily and at temperature 1."""
    evaluation = session.run.file.evaluate
    assert evaluation is not None
    assert evaluation.data is not None
    prompts = [p for p in load_data(evaluation.data.path, "prompts") if isinstance(p, Prompt)]
    return Accuracy(session.evaluate(prompts), session.evaluate(prompts, temperature=1.0))


def outcome(before: Accuracy, after: Accuracy, seconds: float, folder: Path) -> Outcome:
    """Compare the greedy answers problem by problem. The examples: the two that improved most, and the first one."""
    first, second = before.greedy.scores, after.greedy.scores
    both = [i for i in first if i in second]
    better = sum(second[i] > first[i] for i in both)
    worse = sum(second[i] < first[i] for i in both)
    texts = {r.prompt.id: (r.prompt, r.text.strip()) for r in before.greedy.rollouts}
    later = {r.prompt.id: r.text.strip() for r in after.greedy.rollouts}
    shown = sorted(both, key=lambda i: (first[i] - second[i], i))[:2] + both[:1]
    return Outcome(
        before=before.greedy.reward,
        after=after.greedy.reward,
        before_sampled=before.sampled.reward,
        after_sampled=after.sampled.reward,
        n=len(both),
        p_value=sign_test(better, worse),
        seconds=round(seconds, 1),
        model_dir=str(folder),
        examples=[(last_message(texts[i][0].prompt), texts[i][1], later[i]) for i in dict.fromkeys(shown)],
    )


def num_correct(evaluation: Evaluation) -> int:
    """Return the number of problems with score 1."""
    return sum(score == 1.0 for score in evaluation.scores.values())
