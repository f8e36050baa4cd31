"""What a model gets on every item of a dataset: rewards of its answers, its choice in pairs, or its loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows
from posttrain.data.dataset import Dataset
from posttrain.errors import RewardError
from posttrain.records import Episode, Prompt
from posttrain.rewards.reward import Reward
from posttrain.runs.samples import readable
from posttrain.training import measures
from posttrain.training.role_rewards import REWARD, model_score
from posttrain.training.session import Session


@dataclass(frozen=True)
class Measured:
    """Numbers of the items of a dataset. `scores`: name -> id of the item -> number; the first is the principal one.

    `rows`: a record of each item, for a file. `answers`: the rewards of all answers to each prompt. `tokens`: the
    number of tokens that a mean loss is over. `asked`: the number of items, with those that have no number.
    """

    scores: dict[str, dict[int, float]]
    rows: list[dict[str, Any]]
    asked: int
    answers: dict[int, list[float]] = field(default_factory=dict)
    tokens: dict[int, int] = field(default_factory=dict)


def of_prompts(session: Session, data: Dataset, rewards: Sequence[Reward], **sampling: Any) -> Measured:
    """Answer prompts and score the answers. Raises RewardError if none was scored."""
    evaluation = session.evaluate([p for p in data if isinstance(p, Prompt)], rewards, **sampling)
    if not evaluation.scores:
        raise RewardError(f"none of the answers to {evaluation.asked} prompts was scored, so there is no mean")
    named = {r.name: _means(evaluation.rollouts, r.name) for r in rewards}
    scores = named if len(rewards) == 1 and rewards[0].weight == 1 else {REWARD: evaluation.scores, **named}
    by_prompt: dict[int, list[Episode]] = {}
    for e in evaluation.rollouts:
        by_prompt.setdefault(e.prompt.id, []).append(e)
    answers = {i: [e.reward for e in es if e.reward is not None] for i, es in by_prompt.items() if len(named) == 1}
    rows = [_answered(es, evaluation.scores.get(i)) for i, es in by_prompt.items()]
    return Measured(scores, rows, evaluation.asked, {i: xs for i, xs in answers.items() if xs})


def of_pairs(session: Session, data: Dataset) -> Measured:
    """Compare the two answers of each pair: by the score of a reward model, else by their log-probs."""
    judged = "score" in getattr(session.run.learner.models["policy"], "heads", ())  # type: ignore[attr-defined]
    values = session.measure("pairs", list(data), model_score if judged else answer_logp)
    margins = {r.id: values[2 * i] - values[2 * i + 1] for i, r in enumerate(data)}
    accuracy = {i: 0.5 if m == 0 else float(m > 0) for i, m in margins.items()}
    what = "score" if judged else "logp"
    rows = [
        {"id": r.id, "where": r.where, f"chosen_{what}": values[2 * i], f"rejected_{what}": values[2 * i + 1]}
        for i, r in enumerate(data)
    ]
    return Measured({"accuracy": accuracy, f"{what}_margin": margins}, rows, len(data))


def of_records(session: Session, data: Dataset, kind: str) -> Measured:
    """Measure the loss per trained token of every record."""
    sizes = [len(session.run.encoder.rows(r, kind)) for r in data]
    values = iter(measures.token_values(session.run, list(data), token_logp))
    logps = {r.id: [x for _ in range(n) for x in next(values)] for r, n in zip(data, sizes, strict=True)}
    tokens = {i: len(xs) for i, xs in logps.items() if xs}
    loss = {i: -fmean(logps[i]) for i in tokens}
    rows = [{"id": r.id, "where": r.where, "loss": loss.get(r.id), "tokens": len(logps[r.id])} for r in data]
    return Measured({"loss": loss}, rows, len(data), tokens=tokens)


def token_logp(logp: PerToken) -> PerToken:
    """Return the log-prob of each token."""
    return logp


def answer_logp(logp: PerToken, rows: Rows) -> PerRow:
    """Return the log-prob of each answer: the sum over its tokens."""
    return rows.sum(logp)


def _means(episodes: Sequence[Episode], name: str) -> dict[int, float]:
    """Average one reward over the answers to each prompt that have it."""
    values: dict[int, list[float]] = {}
    for e in episodes:
        if (x := e.rewards.get(name)) is not None:
            values.setdefault(e.prompt.id, []).append(x)
    return {i: fmean(xs) for i, xs in values.items()}


def _answered(episodes: Sequence[Episode], score: float | None) -> dict[str, Any]:
    """Describe a prompt: its id, place and text, its score (null if no answer was scored), and its answers."""
    prompt = episodes[0].prompt
    answers = [
        {
            "completion": e.text,
            "reward": e.reward,
            "rewards": dict(e.rewards),
            "ended": e.ended,
            "tokens": len(e.tokens),
        }
        for e in episodes
    ]
    return {
        "prompt_id": prompt.id,
        "where": prompt.where,
        "prompt": readable(prompt.prompt),
        "score": score,
        "answers": answers,
    }
