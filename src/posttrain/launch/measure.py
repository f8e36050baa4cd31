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
from posttrain.evaluation.reward_models.best_of_n import credit
from posttrain.evaluation.reward_models.judged import JudgedCandidates, JudgedPair
from posttrain.records import Answer, Candidates, Episode, Pair, Prompt
from posttrain.rewards.final_answer import final
from posttrain.rewards.reward import Reward
from posttrain.runs.samples import readable
from posttrain.training import measures
from posttrain.training.role_rewards import REWARD, model_score
from posttrain.training.session import Session
from posttrain.turns import answer_text, conversation


@dataclass(frozen=True)
class Measured:
    """Numbers of the items of a dataset. `scores`: name -> id of the item -> number; the first is the principal one.

    `rows`: a record of each item, for a file. `answers`: the rewards of all answers to each prompt; `votes`: their
    final answers, each with its reward. `tokens`: the number of tokens that a mean loss is over. `asked`: the number of
    items, with those that have no number. `judged`: pairs or candidates with what a model says of them, for a report.
    """

    scores: dict[str, dict[int, float]]
    rows: list[dict[str, Any]]
    asked: int
    answers: dict[int, list[float]] = field(default_factory=dict)
    votes: dict[int, list[tuple[str, float]]] = field(default_factory=dict)
    tokens: dict[int, int] = field(default_factory=dict)
    judged: list[Any] = field(default_factory=list)


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
    votes = {i: [(final(e.text), e.reward) for e in by_prompt[i] if e.reward is not None] for i in answers}
    return Measured(scores, rows, evaluation.asked, {i: xs for i, xs in answers.items() if xs}, votes)


def of_pairs(session: Session, data: Dataset) -> Measured:
    """Compare the two answers of each pair: by the score of a reward model, else by their log-probs."""
    pairs = [r for r in data if isinstance(r, Pair)]
    what, values = _worth(session, [(r, (r.chosen, r.rejected)) for r in pairs])
    found = [(r, *own) for r, own in zip(pairs, values, strict=True) if None not in own]
    margins = {r.id: chosen - rejected for r, chosen, rejected in found}
    accuracy = {i: 0.5 if m == 0 else float(m > 0) for i, m in margins.items()}
    rows = [
        {"id": r.id, "where": r.where, f"chosen_{what}": chosen, f"rejected_{what}": rejected}
        for r, chosen, rejected in found
    ]
    judged = [
        JudgedPair(chosen, rejected, (_words(r.chosen), _words(r.rejected)), r.columns) for r, chosen, rejected in found
    ]
    return Measured({"accuracy": accuracy, f"{what}_margin": margins}, rows, len(data), judged=judged)


def of_candidates(session: Session, data: Dataset) -> Measured:
    """Take the answer with the highest score, or the likeliest, of each prompt: is it right?"""
    sets = [r for r in data if isinstance(r, Candidates)]
    what, values = _worth(session, [(r, r.completions) for r in sets])
    found = [(r, tuple(own)) for r, own in zip(sets, values, strict=True) if None not in own]
    judged = {r.id: JudgedCandidates(own, r.correct, r.columns) for r, own in found}
    rows = [{"id": r.id, "where": r.where, f"{what}s": own, "correct": r.correct} for r, own in found]
    return Measured({"accuracy": {i: credit(c) for i, c in judged.items()}}, rows, len(data), judged=[*judged.values()])


def _worth(session: Session, records: Sequence[tuple[Any, Sequence[Answer]]]) -> tuple[str, list[list[Any]]]:
    """Return what is measured, and a number for each answer of each record; None for one that cannot be scored."""
    if REWARD in session.run.text_roles:
        asked = [conversation(r.prompt, answer_text(answer)) for r, answers in records for answer in answers]
        scores = session.run.text_roles[REWARD].score(asked)
        what, numbers = "score", iter([x if isinstance(x, float) else None for x in scores])
    else:
        judged = "score" in getattr(session.run.learner.models["policy"], "heads", ())  # type: ignore[attr-defined]
        part = model_score if judged else answer_logp
        what = "score" if judged else "logp"
        numbers = iter(session.measure("answers", [r for r, _ in records], part))
    return what, [[next(numbers) for _ in answers] for _, answers in records]


def _words(answer: Answer) -> int:
    return len(answer_text(answer).split())


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
