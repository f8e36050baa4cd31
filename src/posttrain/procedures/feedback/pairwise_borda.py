"""LLaMA-Berry: Pairwise Optimization for Olympiad-level Mathematical Reasoning (Zhang et al., 2024), its ranking.

A pair model says of every two answers, in both orders, whether one is better. Its contradictions are settled by the
enhanced Borda count: who is better than whom directly or over others, and only between equals by how sure it is.

    P(a ≻ b) = P(Yes | is a better than b?)    Q(a) = 1 - (rank - 1)/(n - 1)    DPO on argmax Q and argmin Q

The paper's answers come from a tree search with self-refinement; here they are sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posttrain.data.collate import groups
from posttrain.data.dataset import Dataset
from posttrain.judges.options import filled
from posttrain.procedures.judging import user
from posttrain.records import Episode
from posttrain.selection.answers import dataset, different
from posttrain.selection.borda import quantiles
from posttrain.selection.pairs import pairs as paired
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import last_user_message

YES_OR_NO = ("Yes", "No")
QUESTION = (
    "<question>\n{prompt}\n</question>\n<answer_1>\n{first}\n</answer_1>\n<answer_2>\n{second}\n</answer_2>\n"
    "Is answer 1 better than answer 2? Reply with Yes or No alone."
)


def pairwise_borda(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 1,
    samples: int = 4,
    judge: str = "judge",
    question: str = QUESTION,
    method: str = "preference/dpo",
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: sample answers -> ask about every two of them -> rank them -> learn from the best and the worst.

    Settings:
        rounds: number of rounds; at least 1.
        samples: answers to each prompt; at least 2, and n of them cost n (n - 1) questions.
        judge: model that compares two answers; any of `models`, or policy.
        question: request for a comparison; any text with {prompt}, {first} and {second} to which it replies Yes or No.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        dpo: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    session.copy("policy", "reference")
    for n in range(1, rounds + 1):
        answers = different(session.collect(f"round-{n}", prompts, session.sampling(samples=samples), rewards=()))
        judged = by_borda(session, f"judged-{n}", answers, judge, question)
        metrics = session.train(method, dataset(paired(judged), f"round {n}"), rewards=(), **dpo)
    return metrics


def by_borda(session: Session, name: str, answers: Sequence[Episode], judge: str, question: str) -> list[Episode]:
    """Return the answers with their value among those to one prompt as the reward: 1 for the best, 0 for the last."""
    together = groups(answers)
    couples = [(a, b) for group in together for a in group for b in group if a is not b]
    asked = [asking(question, a, b) for a, b in couples]
    said = session.choose(name, judge, [user(text) for text in asked], YES_OR_NO)
    better = {(id(a), id(b)): yes for (a, b), (yes, _) in zip(couples, said, strict=True)}
    found = []
    for group in together:
        wins = [[better.get((id(a), id(b)), 0.5) for b in group] for a in group]
        found += [replace(r, reward=q) for r, q in zip(group, quantiles(wins), strict=True)]
    return found


def asking(question: str, a: Episode, b: Episode) -> str:
    """Return the question whether one answer is better than another."""
    return filled(question, prompt=last_user_message(a.prompt.prompt), first=a.text, second=b.text)
