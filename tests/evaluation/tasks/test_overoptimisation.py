"""Proxies of a known reward, pursued by the best of n: how far, and what a robust proxy changes."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest

from posttrain.evaluation.compare.grid import compare
from posttrain.evaluation.compare.report import write
from posttrain.evaluation.overoptimisation import fit
from posttrain.evaluation.tasks.gold_reward import World, counts, fitted
from posttrain.evaluation.tasks.overoptimisation import best_of_n, labelled, trained_policy
from posttrain.records import Prompt

PROMPTS = [Prompt(i, "ab") for i in range(10)]


def compared(world, count, flips):
    return [(p.prompt + p.chosen, p.prompt + p.rejected) for p in labelled(world, count, flips)]


def curve_of(worths, world, aggregate=np.mean, n=32):
    """The best of n under linear proxies, one for each member of an ensemble."""

    def score(texts):
        scores = np.stack([counts(p + a) for p, a in texts]) @ np.stack(worths).T
        return [float(aggregate(own)) for own in scores]

    return best_of_n(score, world, PROMPTS, n)


def test_labels_are_flipped_as_often_as_said():
    world = World(1, 1)
    for share in (0.0, 0.3):
        wrong = [
            world.gold(p.prompt + p.chosen) < world.gold(p.prompt + p.rejected) for p in labelled(world, 400, share)
        ]
        assert fmean(wrong) == pytest.approx(share, abs=0.06)


def test_the_truth_itself_is_never_over_optimised_and_its_opposite_always():
    world = World(1, 1)
    own = best_of_n(lambda texts: [world.gold(p + a) for p, a in texts], world, PROMPTS, 64)
    assert [p["n"] for p in own] == [1, 2, 4, 8, 16, 32, 64]
    assert own[0]["gold"] == own[0]["kl"] == pytest.approx(0.0)
    assert all(p["gold"] == pytest.approx(p["proxy"]) for p in own)
    assert np.all(np.diff([p["gold"] for p in own]) > 0)
    against = best_of_n(lambda texts: [-world.gold(p + a) for p, a in texts], world, PROMPTS, 64)
    assert (
        fit([[(p["kl"], p["gold"]) for p in against]], "best_of_n").alpha
        < 0
        < fit([[(p["kl"], p["gold"]) for p in own]], "best_of_n").alpha
    )


def test_ensembles_earn_more_than_their_members():
    """Five proxies of 60 noisy comparisons each: the regression test of robust reward models, in small."""
    gains = {"mean": [], "min": []}
    for seed in range(4):
        world = World(0, seed)
        seen = compared(world, 300, 0.25)
        members = [fitted(seen[i::5]) for i in range(5)]
        alone = fmean(curve_of([m], world)[-1]["gold"] for m in members)
        for name, aggregate in (("mean", np.mean), ("min", np.min)):
            gains[name].append(curve_of(members, world, aggregate)[-1]["gold"] - alone)
    assert fmean(gains["mean"]) > 0.2
    assert fmean(gains["min"]) > 0.1


def test_more_comparisons_move_the_collapse_away():
    world = World(0, 0)
    few, many = (curve_of([fitted(compared(world, k, 0.25))], world) for k in (40, 1000))
    assert many[-1]["gold"] > few[-1]["gold"] + 0.5


@pytest.mark.paper("000:[68]")
def test_one_command_compares_reward_models(tmp_path):
    settings = {"pairs": 32, "steps": 1, "prompts": 2, "n": 4, "members": "lowest"}
    made = compare(
        ["reward/bradley_terry", "reward/ensemble"], "overoptimisation", seeds=1, settings=settings, output=tmp_path
    )
    for runs in made.curves.values():
        assert [p["n"] for p in runs[0]] == [1.0, 2.0, 4.0]
        assert 0.2 < runs[0][-1]["accuracy"] < 0.8
        assert runs[0][-1]["proxy"] > runs[0][0]["proxy"] == pytest.approx(0.0, abs=1e-6)
    write(made)
    assert "R(d) = d (α - β d)" in (made.directory / "table.md").read_text()


def test_a_policy_pursues_the_proxy():
    """From the embedded model, which writes no letters: an answer of k characters earns k."""
    run = {
        "model": "tiny",
        "train": {"steps": 1, "prompts_per_step": 4, "learning_rate": 1e-3},
        "sampling": {"max_tokens": 4},
    }
    longer = lambda texts: [float(len(answer)) for _, answer in texts]  # noqa: E731
    first, last = trained_policy(longer, World(0, 0), PROMPTS[:4], run=run, method="online/grpo")
    assert first["kl"] == pytest.approx(0.0, abs=1e-6)
    assert last["kl"] > 1e-4
    assert {"gold", "proxy"} <= last.keys()
