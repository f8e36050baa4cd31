"""Self-Rewarding Language Models (Yuan et al., 2024).

The policy answers, and the policy judges: asked to grade an answer, it writes a score. DPO trains on the best against
the worst of its own answers, so that both skills may grow from round to round.

    r(y) = mean of the scores that π_t writes about y        π_{t+1} = DPO on (best, worst) with π_ref = π_t

An answer for which no score was written has no reward. The paper begins with demonstrations of answers and judgements;
that is a stage of its own (warm_start).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from posttrain.data.dataset import Dataset
from posttrain.procedures.acceptance import Accept, Gate
from posttrain.records import Episode, Prompt
from posttrain.selection.answers import dataset, identity
from posttrain.selection.pairs import pairs
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session
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
    accept: Accept = "always",
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: answer each prompt 4 times -> judge every answer -> DPO of the best against the worst.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        judge: request to grade an answer; any text, where {question} and {answer} are filled in.
        pattern: regular expression of the score; any with 1 group that holds a number, of which the last match counts.
        judgements: scores of an answer that are averaged; at least 1, 3 in the paper.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        accept: name of the rule for a round: always, or better (taken back unless the held-out reward rises).
        dpo: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    gate = Gate(session, accept)
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = session.collect(f"round-{n}", asked, session.sampling(samples=4), rewards=())
        questions = [question(r, judge) for r in answers]
        how = replace(session.sampling(), samples=judgements)
        written = session.collect(f"round-{n}-judged", list({p.id: p for p in questions}.values()), how, rewards=())
        compared = pairs(
            [replace(r, reward=score(p, written, pattern)) for r, p in zip(answers, questions, strict=True)]
        )
        session.copy("policy", "reference")
        metrics = session.train(method, dataset(compared, f"round {n}"), rewards=(), **dpo)
        gate.judge(n)
    return metrics


def question(r: Episode, judge: str) -> Prompt:
    """Return the request to grade an answer, as a conversation where the prompt is one."""
    text = judge.replace("{question}", last_message(r.prompt.prompt)).replace("{answer}", r.text)
    chat = not isinstance(r.prompt.prompt, str)
    return Prompt(identity(r), ({"role": "user", "content": text},) if chat else text, where=r.prompt.where)


def score(asked: Prompt, written: Sequence[Episode], pattern: str) -> float | None:
    """Return the mean of the last score in each judgement, or None where no judgement has a score."""
    matches = [re.findall(pattern, r.text) for r in written if r.prompt.id == asked.id]
    return fmean(float(f[-1]) for f in matches if f) if any(matches) else None
