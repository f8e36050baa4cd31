"""West-of-N: Synthetic Preference Generation for Improved Reward Modeling (Pace et al., 2024).

A reward model teaches the next one: of N answers to a prompt without any label, the best and the worst by its score are
the pair that it is surest of. Pairs that it is least sure of, or that the policy would seldom write, are left out.

    r_0 on labelled pairs        y+ = argmax_n r_0(x, y_n)    y- = argmin_n r_0(x, y_n)        r_1 on both kinds of
    pairs

With N = 2 the pairs are the pseudo-labels of two answers.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import row_score
from posttrain.selection.answers import dataset, likely
from posttrain.selection.pairs import pairs as paired
from posttrain.training.session import NO_OPTIONS, Options, Session


def west_of_n(
    session: Session,
    pairs: Dataset,
    prompts: Dataset,
    *,
    n: int = 64,
    likeliest: float = 1.0,
    surest: float = 1.0,
    reward: Options = NO_OPTIONS,
    again: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Reward model on the pairs -> N answers to each prompt -> best and worst of them -> reward model on all pairs.

    Settings:
        n: answers to each prompt; at least 2, 64 in the paper.
        likeliest: share of all answers that is kept, by their mean log-prob; above 0, 1 keeps all.
        surest: share of the new pairs that is kept, by the difference of their scores; above 0, 1 keeps all.
        reward: options of the first stage: any keys of `train`, and `settings` of its method.
        again: options of the second stage: any keys of `train`, and `settings` of its method.
    """
    session.copy("policy", "reward")
    session.train("reward/bradley_terry", pairs, rewards=(), **reward)
    answers = session.collect("answers", prompts, session.sampling(samples=n), rewards=row_score)
    new = paired(likely(answers, likeliest))
    new.sort(key=lambda p: p.columns["rejected_reward"] - p.columns["chosen_reward"])
    both = dataset([*pairs, *new[: round(surest * len(new))]], "labelled and synthetic pairs")
    session.copy("policy", "reward")
    return session.train("reward/bradley_terry", both, rewards=(), **again)
