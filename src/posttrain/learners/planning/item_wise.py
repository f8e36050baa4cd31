"""Lists of recommendations, learned item by item: the reward of a list is a sum, so each item is a decision of its own.

    R(q, list) = Σ_(i in list) s(q, i),    s(q, i) = novelty_i relevance(q, i) + click(q, i)

One decision (recommend item i to q, or not) has 2 actions where a list of k has C(n, k). REINFORCE on θ[q, i] with
π(recommend) = σ(θ) and the mean score of the query's items as baseline:

    θ += η (s - b_q) (a - σ(θ)) a

For additive rewards the best list is the k items with the best scores. A speaker says what is relevant, since nobody
clicks what nobody knows.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from posttrain.errors import ConfigError
from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.questions import NO, YES
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.world import Floats
from posttrain.learners.worlds.recommendation import Recommendation
from posttrain.seeds import seed_for


def item_scores(novelty: Floats, relevance: Floats, clicks: Floats) -> Floats:
    """s [Q, I] = novelty [I] relevance [Q, I] + clicks [Q, I]."""
    return np.asarray(novelty * relevance + clicks)


def top(scores: Floats, k: int) -> NDArray[np.intp]:
    """The k items with the best scores of each query [Q, k], best first; of equal ones the first."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def enumerated(scores: Floats, k: int) -> Floats:
    """The value [Q] of the best list of k items, by trying all of them."""
    lists = np.array(list(combinations(range(scores.shape[1]), k)))
    return np.asarray(scores[:, lists].sum(axis=-1).max(axis=1))


def reinforce(scores: Floats, seed: int, *, steps: int = 400, rate: float = 0.5) -> Floats:
    """The logits θ [Q, I] after some steps, in each of which every pair of a query and an item decides once.

    A pair whose score is not known (NaN) teaches nothing, and is no part of the baseline.
    """
    theta = np.zeros(scores.shape)
    known = ~np.isnan(scores)
    baseline = np.where(known, scores, 0.0).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    advantage = np.where(known, scores - baseline, 0.0)
    drawn = np.random.default_rng(seed_for(seed, "item-wise"))
    for _ in range(steps):
        p = 1 / (1 + np.exp(-theta))
        action = drawn.random(theta.shape) < p
        theta += rate * advantage * action * (action - p)
    return theta


def ask_relevance(world: Recommendation, speaker: Speaker) -> Floats:
    """Whether every item is relevant to every reader, as a speaker says: 1, 0, and NaN where it could not be read."""
    questions = [
        Question(f"{world.describe(q)} Does this reader like {item}?", (YES, NO), YES if world.relevant[q, i] else NO)
        for q in range(len(world.tastes))
        for i, item in enumerate(world.actions)
    ]
    said = [np.nan if answer is None else float(answer == YES) for answer in speaker.answer(questions)]
    return np.array(said).reshape(world.relevant.shape)


def compared(world: Recommendation, speaker: Speaker, seeds: list[int], *, k: int, steps: int) -> Comparison:
    """Lists that are learned with a speaker's relevance against those that are learned from clicks alone.

    A score is what the lists are truly worth, as a share of the best lists. `unread`: the share of replies that could
    not be read, from which nothing is learned.
    """
    truth = item_scores(world.novelty, world.relevant, world.clicks)
    if not 1 <= k <= len(world.actions):
        raise ConfigError(f"procedure.k: {k} of {len(world.actions)} items; at least 1, at most all of them")
    relevance = ask_relevance(world, speaker)
    said = item_scores(world.novelty, relevance, world.clicks)
    best = enumerated(truth, k).sum()

    def worth(scores: Floats, seed: int) -> tuple[float, NDArray[np.intp]]:
        lists = top(reinforce(scores, seed, steps=steps), k)
        return float(np.take_along_axis(truth, lists, axis=1).sum() / best), lists

    helped = [worth(said, seed) for seed in seeds]
    numbers = {"unread": float(np.isnan(relevance).mean())}
    kept = {world.describe(q): [world.actions[i] for i in own] for q, own in enumerate(helped[0][1])}
    return Comparison([x for x, _ in helped], [worth(world.clicks, seed)[0] for seed in seeds], numbers, kept)
