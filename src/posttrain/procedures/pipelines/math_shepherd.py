"""Math-Shepherd: Verify and Reinforce LLMs Step-by-step without Human Annotations (Wang et al., 2024).

A step is as good as the answers that follow on it: the policy completes every beginning of its solutions several times,
and the share of completions that the rewards accept is the label of the last step. A process reward model learns these
labels and chooses among new solutions, which the policy imitates.

    l_t = 1/N Σ_j [R(x, y_≤t, z_j) > a],  z_j ~ π(· | x, y_≤t)        y* = argmax min_t p_t

With many completions l_t is the value function of the policy. The lines of a solution are its steps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.steps import SOLUTION_SCORES
from posttrain.selection.answers import best, dataset, demonstrations
from posttrain.selection.steps import beginnings, in_steps, with_rates
from posttrain.training.session import NO_OPTIONS, Options, Session


def math_shepherd(
    session: Session,
    prompts: Dataset,
    *,
    solutions: int = 4,
    completions: int = 8,
    candidates: int = 8,
    hard: bool = False,
    accepted: float = 0.0,
    by: Literal["min", "product", "last", "mean"] = "min",
    reward: Options = NO_OPTIONS,
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Sample solutions -> complete their beginnings -> train a process reward model -> SFT on what it chooses.

    Settings:
        solutions: solutions to each prompt whose steps get labels; at least 1.
        completions: completions of each beginning; at least 1, 8 in the paper.
        candidates: new solutions to each prompt that the reward model chooses from; at least 1.
        hard: whether the label of a step is 1 if any completion is accepted, in place of their share.
        accepted: reward above which an answer is accepted; any number, 0 suits rewards of 0 and 1.
        by: how the scores of steps become one; any of min, product, last and mean.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
    """
    answers = session.collect("solutions", prompts, session.sampling(samples=solutions))
    partial = [beginning for a in answers for beginning in beginnings(a)]
    ends = session.collect("completions", partial, session.sampling(samples=completions)) if partial else []
    steps = [s for a in answers if (s := with_rates(a, ends, above=accepted, hard=hard))]
    session.train("reward/process", dataset(steps, "steps"), rewards=(), **reward)

    new = session.collect("candidates", prompts, session.sampling(samples=candidates))
    split = [(a, s) for a in new if (s := in_steps(a))]
    scores = session.measure("scores of steps", [s for _, s in split], SOLUTION_SCORES[by])
    scored = [replace(a, reward=x) for (a, _), x in zip(split, scores, strict=True)]
    return session.train("imitation/sft", dataset(demonstrations(best(scored)), "chosen by steps"), rewards=(), **sft)
