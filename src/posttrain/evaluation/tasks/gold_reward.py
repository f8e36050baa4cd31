"""Scaling Laws for Reward Model Overoptimization, in small (Gao et al., 2023; direct methods: Rafailov et al., 2024).

An artificial language whose true reward is known. A prompt is two letters, an answer eight more. Each pair of adjacent
letters has a worth that the gold reward counts once: repeating a pair costs 1.

    gold(y)  = Σ_{different pairs} w - #repetitions        w ~ N(0, 1), standardised over the reference's answers
    proxy(y) = Σ_pairs ŵ                                   ŵ: Bradley-Terry, fitted to `comparisons` gold labels

The proxy has seen few comparisons and has not learned that repetition is bad, because random answers hardly repeat. It
labels the `pairs` that the methods train on, and scores the answers of those that sample. A little pressure raises the
gold reward; a lot of it buys what the proxy overrates. The KL is that of whole answers, exact at every token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from posttrain.core.method import Sampling
from posttrain.core.parts import PerRow, PerTokenVocab
from posttrain.core.rows import Rows
from posttrain.errors import ConfigError, suggestion
from posttrain.evaluation.compare.task import Task
from posttrain.evaluation.tasks.beginners import beginner
from posttrain.formulas.losses.penalties import reverse_kl
from posttrain.records import Episode, Pair, Prompt
from posttrain.rewards.reward import Reward
from posttrain.seeds import seed_for
from posttrain.selection.conversions import of_pairs
from posttrain.training.session import Session

LETTERS, LENGTH = "abcdefgh", 8
TOO_LONG = LENGTH + 4  # tokens: longer answers are cut
SHOWN = {
    "reward": ("gold", "gold reward, in standard deviations of the reference"),
    "wins": ("wins", "win rate over the reference by the gold reward, less 1/2"),
}
CODES = {a + b: len(LETTERS) * i + j for i, a in enumerate(LETTERS) for j, b in enumerate(LETTERS)}
Worth = np.ndarray[Any, np.dtype[np.float64]]  # of each pair of letters [64]


def gold_reward(
    folder: Path,
    seed: int,
    *,
    world: int = 0,
    comparisons: int = 300,
    pairs: int = 512,
    steps: int = 80,
    answers: int = 200,
    learning_rate: float = 4e-4,
    judge: str = "reward",
) -> Task:
    """Build the task at one seed: its own proxy, reference and pairs of random answers, in a world that seeds share.

    Settings:
        world: number of the world, which fixes the gold reward for all seeds; any whole number.
        comparisons: gold labels that the proxy is fitted to; at least 1, fewer make it easier to exploit.
        pairs: pairs of random answers, labelled by the proxy, that methods train on; at least 1.
        steps: training steps of every method; at least 1.
        answers: held-out prompts that the policy answers at every measurement; at least 2.
        learning_rate: peak learning rate of every method; above 0, 1e-4 to 1e-3 for the tiny model.
        judge: what the figure and the law show; reward (gold reward) or wins (win rate over the reference less 1/2).
    """
    if judge not in SHOWN:
        raise ConfigError(f"task gold_reward: judge {judge!r}{suggestion(judge, SHOWN)}; choose {' or '.join(SHOWN)}")
    truth = World(world, seed)
    proxy = fitted(truth.compared("comparison", comparisons))
    prompts = [Prompt(i, truth.letters("held out", i, size=2)) for i in range(answers)]
    return Task(
        run={
            "model": str(reference(truth, folder / f"reference-{seed}")),
            "train": {"steps": steps, "prompts_per_step": 32, "learning_rate": learning_rate, "warmup": 0.1},
            "sampling": {"max_tokens": TOO_LONG, "slots": 512},
        },
        records=of_pairs(compared(truth, proxy, pairs), "gold_reward"),
        rewards=[Reward("proxy", partial(scored, worth=proxy))],
        measure=partial(measure, world=truth, proxy=proxy, prompts=prompts),
        x=("kl", "KL(π ‖ π_ref) in nats"),
        y=SHOWN[judge],
        law="training",
        facts={"agreement of proxy and gold on random pairs": agreement(truth, proxy)},
    )


class World:
    """The true worth of pairs of letters, and random texts drawn by the seed."""

    def __init__(self, number: int, seed: int) -> None:
        self.seed = seed
        draw = np.random.default_rng(seed_for("worth", number))
        self.worth: Worth = draw.standard_normal(len(CODES))
        random = [self._gold(self.letters("standard", i, size=2 + LENGTH)) for i in range(2000)]
        self.mean, self.deviation = float(np.mean(random)), float(np.std(random))

    def letters(self, *names: str | int, size: int) -> str:
        return "".join(LETTERS[seed_for(self.seed, *names, k) % len(LETTERS)] for k in range(size))

    def gold(self, text: str) -> float:
        """Return the true reward of a prompt and its answer. A pair with a character that is no letter costs 1."""
        return (self._gold(text) - self.mean) / self.deviation

    def _gold(self, text: str) -> float:
        counted = Counter(a + b for a, b in pairwise(text[1:]))  # the pair within the prompt is not the answer's
        return sum((self.worth[CODES[p]] if p in CODES else -1.0) - (n - 1) for p, n in counted.items())

    def compared(self, name: str, count: int) -> list[tuple[str, str]]:
        """Return two random answers to each of `count` prompts, the better one first, by the gold reward."""
        texts = [tuple(self.two(name, i)) for i in range(count)]
        return [(b, a) if self.gold(b) > self.gold(a) else (a, b) for a, b in texts]

    def two(self, name: str, i: int) -> list[str]:
        asked = self.letters(name, i, "prompt", size=2)
        return [asked + self.letters(name, i, k, size=LENGTH) for k in ("one", "two")]


# ---- the proxy


def counts(text: str) -> Worth:
    vector = np.zeros(len(CODES))
    for a, b in pairwise(text[1:]):
        if a + b in CODES:
            vector[CODES[a + b]] += 1
    return vector


def fitted(compared: Sequence[tuple[str, str]], prior: float = 1.0) -> Worth:
    """Return the worths that maximise the Bradley-Terry likelihood under a normal prior, by Newton's method."""
    x = np.stack([counts(better) - counts(worse) for better, worse in compared])
    worth = np.zeros(len(CODES))
    for _ in range(20):
        p = 1 / (1 + np.exp(-x @ worth))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.eye(len(worth)) / prior
        worth += np.linalg.solve(hessian, x.T @ (1 - p) - worth / prior)
    return worth


def agreement(world: World, proxy: Worth) -> float:
    unseen = world.compared("unseen", 1000)
    return fmean(float(counts(a) @ proxy > counts(b) @ proxy) for a, b in unseen)


def scored(prompts: Sequence[str], completions: Sequence[str], *, worth: Worth) -> list[float]:
    """Return the proxy's rewards."""
    return [float(counts(p + c) @ worth) for p, c in zip(prompts, completions, strict=True)]


# ---- training data


def compared(world: World, proxy: Worth, count: int) -> list[Pair]:
    """Return pairs of random answers; the proxy decides which one is better, and by how much."""
    labelled = []
    for i in range(count):
        good, bad = sorted(world.two("pair", i), key=lambda text: -float(counts(text) @ proxy))
        better, worse = (float(counts(text) @ proxy) for text in (good, bad))
        scores = {"chosen_reward": better, "rejected_reward": worse, "margin": better - worse}
        labelled.append(Pair(i, good[:2], good[2:], bad[2:], scores))
    return labelled


def reference(world: World, folder: Path) -> Path:
    """Train the tiny model to write eight random letters."""
    texts = [(world.letters("text", i, size=2), world.letters("text", i, "answer", size=LENGTH)) for i in range(4096)]
    return beginner(folder, texts, seed=world.seed, steps=64)


# ---- measurements


def answer_kl(logits: PerTokenVocab, ref_logits: PerTokenVocab, rows: Rows) -> PerRow:
    """KL(π || π_ref) at every prefix of a sampled answer, summed: unbiased for the KL of whole answers, never < 0."""
    return rows.sum(reverse_kl(logits, ref_logits))


def measure(session: Session, name: str, *, world: World, proxy: Worth, prompts: Sequence[Prompt]) -> dict[str, float]:
    """Return the gold and proxy rewards, KL and length of answers to held-out prompts."""
    answers = session.collect(name, prompts, Sampling(), rewards=answer_kl)
    texts = [str(r.prompt.prompt) + r.text for r in answers]
    return {
        "kl": fmean(r.reward or 0.0 for r in answers),
        "gold": fmean(world.gold(t) for t in texts),
        "wins": fmean(map(partial(_wins, world), answers, texts)) - 0.5,
        "proxy": fmean(float(counts(t) @ proxy) for t in texts),
        "length": fmean(len(r.tokens) for r in answers),
    }


def _wins(world: World, answer: Episode, text: str) -> float:
    """1 if the answer has more gold reward than one of the reference's, random letters; ties one half."""
    other = text[:2] + world.letters("opponent", answer.prompt.id, size=LENGTH)
    gap = world.gold(text) - world.gold(other)
    return 0.5 if gap == 0 else float(gap > 0)
