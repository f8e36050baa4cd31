"""A KL on the marked parts of an answer: golden numbers, and the two ends, all of it and none of it."""

import contextlib

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load, paths
from posttrain.core.parts import PartError
from posttrain.core.plan import plan
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("chen2025vp2")

GRPO, PPO, PLUS = (load(f"online/{n}") for n in ("grpo", "ppo", "reinforce_plus_plus"))
SIX = {"logp": [-1.0] * 6, "old_logp": [-1.0] * 6, "rollout_logp": [-1.0] * 6, "ref_logp": [-1.5, -2, -3, -1, -4, -1.5]}
KL = [0.5, 1.0, 2.0, 0.0, 3.0, 0.5]


def rewards(marks, method=PLUS, **settings):
    """The token rewards of one answer of six tokens at β = 1."""
    method = configure(method, {"kl_within": "parts", "kl_weight": 1.0, **settings})
    return step(method, answer(**SIX, reward=0.0, group=0, token_reward_parts=marks)).value("token_reward")[0]


@pytest.mark.parametrize(
    ("marks", "counts"),
    [
        ([0, 2, 0, -1, 2, 0], [1, 1, 0, 0, 1, 1]),  # two tokens that count, two that do not, one that does
        ([0, -1, 0, 2, -1, 0], [0, 0, 1, 1, 0, 0]),
        ([0, 0, 0, 0, 2, 0], [1] * 6),  # the end of the answer belongs to its last part
        ([0, 0, 0, 0, -1, 0], [0] * 6),
        ([0] * 6, [0] * 6),  # nothing is marked
        ([1, 0, 0, 0, 0, -1], [1, 0, 0, 0, 0, 0]),  # -1 + 2: a token that ends both
    ],
)
def test_golden_in_the_reward(marks, counts):
    assert rewards(marks) == pytest.approx([-m * k for m, k in zip(counts, KL, strict=True)])


def test_golden_in_the_loss():
    """k1 on the middle two of six tokens, averaged over all six."""
    method = configure(GRPO, {"kl_in_loss": "k1", "kl_within": "parts", "kl.weight": 1.0})
    row = answer(**SIX, reward=1.0, group=0, token_reward_parts=[0, -1, 0, 2, 0, -1])
    one = step(method, row)
    assert one.metrics["loss/kl"] == pytest.approx((2.0 + 0.0) / 6)
    assert one.gradient("logp")[0] == pytest.approx([0, 0, 1 / 6, 1 / 6, 0, 0])


def test_parts_that_are_all_of_it_are_the_ordinary_kl_and_none_are_no_kl():
    whole = step(configure(PLUS, {"kl_weight": 1.0}), answer(**SIX, reward=0.0, group=0)).value("token_reward")[0]
    assert rewards([0] * 5 + [2]) == pytest.approx(whole)
    assert rewards([0] * 5 + [-1]) == [0.0] * 6


@pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
def test_any_estimator_and_any_order_of_the_settings(estimator):
    marks = [0, -1, 0, 0, 0, 2]
    one = rewards(marks, PPO, kl_in_reward=estimator)
    other = configure(PPO, {"kl_in_reward": estimator, "kl_weight": 1.0, "kl_within": "parts"})
    row = answer(**SIX, reward=0.0, group=0, token_reward_parts=marks, value=[0.0] * 6, old_value=[0.0] * 6)
    assert step(other, row).value("token_reward")[0] == pytest.approx(one)
    assert one[:2] == [0.0, 0.0]
    assert one[2] < 0


def test_a_part_ends_with_its_answer():
    rows = [answer(**SIX, reward=0.0, group=0, token_reward_parts=m) for m in ([0] * 5 + [2], [0] * 6)]
    values = step(configure(PLUS, {"kl_within": "parts", "kl_weight": 1.0}), *rows).value("token_reward")
    assert values[0] == pytest.approx([-k for k in KL])
    assert values[1] == [0.0] * 6


@pytest.mark.parametrize("path", [p for p in paths() if p.startswith("online/")])
def test_every_method_with_a_kl_takes_it_or_refuses_it_before_it_is_planned(path):
    with contextlib.suppress(PartError):
        made = configure(load(path), {"kl_within": "parts"})
        assert plan(made).trained
        assert "token_reward_parts" in made.reads


@pytest.mark.parametrize(
    ("path", "name", "says"),
    [
        ("online/reinforce", "parts", "reinforce has no KL; add kl_in_loss or kl_in_reward"),
        ("online/ppo", "a b", "must be the name of a reward that marks parts of answers, not 'a b'"),
        ("online/ppo", 1, "not 1"),
    ],
)
def test_what_cannot_be_is_an_error(path, name, says):
    with pytest.raises(PartError, match=says):
        configure(load(path), {"kl_within": name})
