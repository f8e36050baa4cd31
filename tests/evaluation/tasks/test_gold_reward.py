"""The made-up language: its truth by hand, its proxy against the optimum's condition, its KL against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.errors import ConfigError
from posttrain.evaluation.compare.grid import compare
from posttrain.evaluation.tasks.gold_reward import (
    CODES,
    World,
    _wins,
    agreement,
    answer_kl,
    compared,
    counts,
    fitted,
    gold_reward,
    scored,
)
from posttrain.formulas.losses.penalties import reverse_kl
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.records import Episode, Prompt


@pytest.fixture(scope="module")
def world():
    return World(3, 3)


def raw(world, text):
    return world.gold(text) * world.deviation + world.mean


def test_the_truth_counts_a_pair_once_and_fines_its_repetition(world):
    """ab|abab: ba, ab, ba, ab -> w(ba) + w(ab) - 2; the pair within the prompt is not the answer's."""
    w = {pair: world.worth[code] for pair, code in CODES.items()}
    assert raw(world, "ababab") == pytest.approx(w["ba"] + w["ab"] - 2)
    assert raw(world, "abc") == pytest.approx(w["bc"])
    assert raw(world, "ab!c") == pytest.approx(-2.0)


def test_the_truth_has_mean_0_and_deviation_1_over_random_answers(world):
    golds = [world.gold(world.letters("fresh", i, size=10)) for i in range(3000)]
    assert np.mean(golds) == pytest.approx(0.0, abs=0.08)
    assert np.std(golds) == pytest.approx(1.0, abs=0.05)


def test_the_truth_follows_from_the_world_and_texts_from_the_seed(world):
    assert np.array_equal(World(3, 0).worth, world.worth)
    assert not np.array_equal(World(4, 3).worth, world.worth)
    assert World(3, 3).two("pair", 5) == world.two("pair", 5) != world.two("pair", 6)
    assert World(3, 0).two("pair", 5) != world.two("pair", 5)


def test_the_proxy_is_the_maximum_of_its_likelihood(world):
    """Its gradient vanishes: Σ x (1 - σ(x ŵ)) = ŵ / prior."""
    seen = world.compared("some", 80)
    proxy = fitted(seen, prior=2.0)
    x = np.stack([counts(a) - counts(b) for a, b in seen])
    assert x.T @ (1 / (1 + np.exp(x @ proxy))) == pytest.approx(proxy / 2.0, abs=1e-9)


@pytest.mark.paper("000:[68]")
def test_a_proxy_of_more_comparisons_agrees_more_often(world):
    few, many = (agreement(world, fitted(world.compared("some", n))) for n in (40, 1500))
    assert 0.55 < few < many - 0.05
    assert many > 0.85


@pytest.mark.paper("000:[68]")
def test_pairs_are_labelled_by_the_proxy_and_not_by_the_truth(world):
    proxy = fitted(world.compared("some", 100))
    pairs = compared(world, proxy, 200)
    assert all(p.columns["margin"] >= 0 for p in pairs)
    for p in pairs[:20]:
        assert [p.columns["chosen_reward"], p.columns["rejected_reward"]] == pytest.approx(
            scored([p.prompt] * 2, [p.chosen, p.rejected], worth=proxy)
        )
    wrong = sum(world.gold(p.prompt + p.chosen) < world.gold(p.prompt + p.rejected) for p in pairs)
    assert 10 < wrong < 90


def test_the_kl_of_an_answer_is_the_sum_of_its_steps():
    """Two rows of written tokens; by hand for one token of two outcomes: KL((.8, .2) || (.5, .5)) = 0.192745."""
    logits = torch.tensor([[0.8, 0.2]] * 5).log()
    rows = Rows(torch.tensor([0, 0, 0, 1, 1]), torch.tensor([False, True, True, False, True]), 2)
    made = answer_kl(logits, torch.zeros(5, 2), rows)
    assert made.tolist() == pytest.approx([2 * 0.192745, 0.192745], abs=1e-5)
    assert reverse_kl(logits, logits).abs().max() < 1e-7


def test_a_little_pressure_raises_the_truth_from_a_reference_that_earns_nothing(tmp_path):
    """Twenty steps of DPO, from start to end through `compare`; the KL is 0 before."""
    settings = {"steps": 20, "answers": 150}
    found = compare(["preference/dpo"], "gold_reward", seeds=1, settings=settings, output=tmp_path)
    first, *_, last = found.curves["dpo"][0]
    assert first["kl"] == pytest.approx(0.0, abs=1e-6)
    assert abs(first["gold"]) < 0.35
    assert 8 < first["length"] < 10
    assert last["kl"] > 0.5
    assert last["gold"] > first["gold"] + 0.5
    assert last["proxy"] > first["proxy"] + 1
    assert abs(first["wins"]) < 0.12
    assert last["wins"] > first["wins"] + 0.1  # of gold reward, too


@pytest.mark.paper("rafailov2024ohd", "000:[68]")
def test_win_rates_are_shown_where_they_are_asked_for(tmp_path):
    save(*tiny_model(), tmp_path / "reference-0")  # in place of the reference that takes a minute
    assert gold_reward(tmp_path, 0, pairs=8, comparisons=20, judge="wins").y[0] == "wins"
    with pytest.raises(ConfigError, match="did you mean 'wins'"):
        gold_reward(tmp_path, 0, judge="win")


@pytest.mark.paper("rafailov2024ohd", "000:[68]")
def test_an_answer_wins_by_its_gold_reward(world):
    """The best of 16 random answers wins against random ones, the worst loses, and a random one wins half of them."""
    wins = {"best": [], "random": [], "worst": []}
    for i in range(60):
        asked = Prompt(i, "ab")
        texts = sorted(("ab" + world.letters("some", i, k, size=8) for k in range(16)), key=world.gold)
        chosen = {"worst": texts[0], "random": "ab" + world.letters("some", i, 0, size=8), "best": texts[-1]}
        for name, text in chosen.items():
            wins[name].append(_wins(world, Episode.of_answer(asked, 0, 0, (), (), (), True), text))
    assert np.mean(wins["best"]) > 0.85
    assert np.mean(wins["worst"]) < 0.15
    assert 0.3 < np.mean(wins["random"]) < 0.7
