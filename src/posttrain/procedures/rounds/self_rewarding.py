"""Self-Rewarding Language Models (Yuan et al., 2024).

The policy answers, and the policy judges: asked to grade an answer, it writes a score. Best against worst of its own
answers is what DPO learns from, so that both skills may grow from round to round.

    r(y) = mean of the scores that π_t writes about y        π_{t+1} = DPO on (best, worst) with π_ref = π_t

Settings: `judge` is the question about an answer ({question} and {answer} are filled in); `pattern` finds the score in
what was written; `judgements` are averaged (3 in the paper). An answer about which no score was written has none.
Demonstrations of answers and judgements, which the paper begins with, are a stage of their own (warm_start).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from posttrain.data.dataset import Dataset
from posttrain.records import Prompt, Rollout
from posttrain.selection.answers import dataset, identity
from posttrain.selection.pairs import pairs
from posttrain.selection.prompts import part_of
from posttrain.training.session import NONE, Options, Session
from posttrain.turns import last_message

JUDGE = (
    "Review the user's question and the response with a score from 0 to 5: add a point if it is relevant, addresses "
    "much of the question, answers its basic elements usefully, is clearly written for the user, and is excellent.\n"
    'User: {question}\nResponse: {answer}\nConclude with "Score: <points>".'
)


def self_rewarding(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 2,
    prompts_per_round: int | None = None,
    judge: str = JUDGE,
    pattern: str = r"[Ss]core: *([0-5])",
    judgements: int = 3,
    method: str = "preference/dpo",
    dpo: Options = NONE,
) -> dict[str, float]:
    """Rounds of: answer each prompt 4 times -> judge every answer -> DPO of the best against the worst."""
    metrics: dict[str, float] = {}
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = session.collect(f"round-{n}", asked, session.how(samples=4), rewards=())
        about = [question(r, judge) for r in answers]
        how = replace(session.how(), samples=judgements)
        written = session.collect(f"round-{n}-judged", list({p.id: p for p in about}.values()), how, rewards=())
        compared = pairs([replace(r, reward=score(p, written, pattern)) for r, p in zip(answers, about, strict=True)])
        session.copy("policy", "reference")
        metrics = session.train(method, dataset(compared, f"round {n}"), rewards=(), **dpo)
    return metrics


def question(r: Rollout, judge: str) -> Prompt:
    """What the judge is asked about an answer, as a conversation where the prompt is one."""
    text = judge.replace("{question}", last_message(r.prompt.prompt)).replace("{answer}", r.text)
    chat = not isinstance(r.prompt.prompt, str)
    return Prompt(identity(r), ({"role": "user", "content": text},) if chat else text, where=r.prompt.where)


def score(about: Prompt, written: Sequence[Rollout], pattern: str) -> float | None:
    """The mean of the last score in each judgement."""
    found = [re.findall(pattern, r.text) for r in written if r.prompt.id == about.id]
    return fmean(float(f[-1]) for f in found if f) if any(found) else None
