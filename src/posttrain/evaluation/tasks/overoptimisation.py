"""Scaling Laws for Reward Model Overoptimization (Gao et al., 2023): reward models as proxies of a known reward.

Every method trains a reward model on the same pairs of random answers in the made-up language of gold_reward, labelled
by the gold reward with a share of flipped labels. Then the proxy is pursued, and the gold reward watched:

    best_of_n       the answer that the proxy takes from n = 1, 2, 4, ... answers of the reference, KL = log n - (n-1)/n
    online/grpo     or another method that samples: a policy is trained against the proxy and measured as it moves away

The gold reward is 0 at the reference. Where it falls although the proxy rises, the proxy is over-optimised; a robust
method falls later, or less. This is the experiment for ensembles, uncertainty and regularisation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from posttrain.core.method import Sampling
from posttrain.evaluation.compare.cell import curve
from posttrain.evaluation.compare.contender import contender
from posttrain.evaluation.compare.proxy import Proxy
from posttrain.evaluation.compare.task import Task
from posttrain.evaluation.overoptimisation import kl_of_best_of_n
from posttrain.evaluation.reward_models.best_of_n import best_of, powers
from posttrain.evaluation.tasks.gold_reward import LENGTH, TOO_LONG, World, answer_kl, reference
from posttrain.records import Demonstration, Pair, Prompt
from posttrain.rewards.reward import Reward
from posttrain.seeds import seed_for
from posttrain.selection.conversions import of_pairs
from posttrain.training.role_rewards import REWARD
from posttrain.training.session import Session

BEST_OF_N = "best_of_n"
Score = Callable[[Sequence[tuple[str, str]]], list[float]]  # of (prompt, answer)


def overoptimisation(
    folder: Path,
    seed: int,
    *,
    world: int = 0,
    pairs: int = 512,
    flips: float = 0.25,
    steps: int = 48,
    learning_rate: float = 1e-3,
    members: str = "mean",
    members_weight: float = 1.0,
    pursue: str = BEST_OF_N,
    prompts: int = 32,
    n: int = 256,
    policy_steps: int = 80,
) -> Task:
    """Build the task at one seed: its own pairs, flipped labels and answers, in a world that seeds share.

    Settings:
        world: number of the world, which fixes the gold reward for all seeds; any whole number.
        pairs: pairs of random answers that every reward model is trained on; at least 1.
        flips: share of the labels that are flipped; 0 to 0.5, 0.25 is usual.
        steps: training steps of every reward model; at least 1.
        learning_rate: peak learning rate of every reward model; above 0, 1e-4 to 3e-3 for the tiny model.
        members: name of how members of an ensemble become one score; mean, lowest, variance or deviation.
        members_weight: what their disagreement costs, for variance and deviation; 0 or more, 0.1 to 2 is typical.
        pursue: how the proxy is pursued; best_of_n, or any method that samples, such as online/grpo.
        prompts: prompts whose answers are measured; at least 2.
        n: answers to each prompt for the best of n; at least 2.
        policy_steps: training steps of a policy against the proxy; at least 1.
    """
    truth = World(world, seed)
    asked = [Prompt(i, truth.letters("held out", i, size=2)) for i in range(prompts)]
    if pursue == BEST_OF_N:
        pursued: Any = partial(best_of_n, n=n)
    else:
        start = reference(truth, folder / f"reference-{seed}")
        run = {
            "model": str(start),
            "train": {"steps": policy_steps, "prompts_per_step": 32, "learning_rate": 4e-4, "warmup": 0.1},
            "sampling": {"max_tokens": TOO_LONG, "slots": 512},
        }
        pursued = partial(trained_policy, run=run, method=pursue)
    train = {"steps": steps, "prompts_per_step": 32, "learning_rate": learning_rate, "warmup": 0.1}
    compared = labelled(truth, pairs, flips)

    def after(session: Session, _: int) -> list[dict[str, float]]:
        seen = as_answers([(p.prompt, a) for p in compared for a in (p.chosen, p.rejected)])
        made = Proxy.of(session, seen, members, members_weight)
        right = accuracy(lambda texts: made(as_answers(texts)), truth)
        return [{**point, "accuracy": right} for point in pursued(lambda texts: made(as_answers(texts)), truth, asked)]

    return Task(
        run={"model": "tiny", "train": train},
        records=of_pairs(compared, "overoptimisation"),
        measure=lambda *_: {},
        trains=REWARD,
        after=after,
        x=("kl", "KL(π ‖ π_ref) in nats"),
        y=("gold", "gold reward, in standard deviations of the reference"),
        together=("accuracy", "proxy", "gold"),
        law="best_of_n" if pursue == BEST_OF_N else "training",
        facts={"flipped labels": flips, "pursued by": pursue, "members": members},
    )


def labelled(world: World, count: int, flips: float) -> list[Pair]:
    """Return pairs of random answers with gold labels, a share of them flipped."""
    made = []
    for i, (good, bad) in enumerate(world.compared("pair", count)):
        draw = np.random.default_rng(seed_for(world.seed, "flip", i))
        good, bad = (bad, good) if draw.random() < flips else (good, bad)
        made.append(Pair(i, good[:2], good[2:], bad[2:]))
    return made


def as_answers(texts: Sequence[tuple[Any, Any]]) -> list[Demonstration]:
    return [Demonstration(i, prompt, answer) for i, (prompt, answer) in enumerate(texts)]


def accuracy(score: Score, world: World, count: int = 200) -> float:
    """Return how often a reward model prefers what the gold reward prefers, on unseen pairs."""
    unseen = world.compared("unseen", count)
    good, bad = (score([(t[:2], t[2:]) for t in side]) for side in zip(*unseen, strict=True))
    return fmean(0.5 if a == b else float(a > b) for a, b in zip(good, bad, strict=True))


# ---- two ways to pursue a proxy


def best_of_n(score: Score, world: World, prompts: Sequence[Prompt], n: int) -> list[dict[str, float]]:
    """Return the curve of the best of 1, 2, 4, ... n answers, by every choice of that size.

    `score` gives the proxy's number for each (prompt, answer). Both rewards are 0 for n = 1.
    """
    gold, scores = [], []
    for p in prompts:
        asked = str(p.prompt)
        answers = [(asked, world.letters("answer", p.id, k, size=LENGTH)) for k in range(n)]
        scores.append(score(answers))
        gold.append([world.gold(asked + answer) for _, answer in answers])
    start, level = fmean(map(fmean, gold)), fmean(map(fmean, scores))
    return [
        {
            "kl": kl_of_best_of_n(k),
            "gold": fmean(best_of(k, s, g) for s, g in zip(scores, gold, strict=True)) - start,
            "proxy": fmean(best_of(k, s, s) for s in scores) - level,
            "n": float(k),
        }
        for k in powers(n)
    ]


def trained_policy(
    score: Score, world: World, prompts: Sequence[Prompt], *, run: dict[str, Any], method: str
) -> list[dict[str, float]]:
    """Train a policy against the proxy, and return what its answers earn as it moves away from the reference."""

    def scored(prompts: Sequence[str], completions: Sequence[str]) -> list[float]:
        return score(list(zip(prompts, [c or " " for c in completions], strict=True)))

    task = Task(
        run=run,
        records=of_pairs(labelled(world, 512, 0.0), "prompts"),
        rewards=[Reward("proxy", scored)],
        measure=partial(measure, world=world, prompts=prompts, scored=scored),
        x=("kl", ""),
        y=("gold", ""),
    )
    return curve(contender(method), task, world.seed)


def measure(session: Session, name: str, *, world: World, prompts: Sequence[Prompt], scored: Any) -> dict[str, float]:
    """Return KL, gold and proxy rewards of answers to held-out prompts."""
    answers = session.collect(name, prompts, Sampling(), rewards=answer_kl)
    asked, said = [str(r.prompt.prompt) for r in answers], [r.text for r in answers]
    return {
        "kl": fmean(r.reward or 0.0 for r in answers),
        "gold": fmean(world.gold(p + a) for p, a in zip(asked, said, strict=True)),
        "proxy": fmean(scored(asked, said)),
    }
