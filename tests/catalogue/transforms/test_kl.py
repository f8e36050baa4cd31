"""The KL is a switch: in the reward or in the loss, and by which estimator."""

import contextlib
import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load, paths
from posttrain.catalogue.transforms.kl import IN_LOSS, IN_REWARD
from posttrain.core.parts import PartError
from posttrain.core.plan import plan
from tests.harness.numbers import answer, step
from tests.methods.online.group import group

GRPO, DR_GRPO, PPO, RLOO, REINFORCE = (load(f"online/{n}") for n in ("grpo", "dr_grpo", "ppo", "rloo", "reinforce"))


def moved(**settings):
    """One answer of one token, log-prob -1, -1.2 before and -1.5 under the reference; its advantage is 0."""
    row = answer(logp=[-1.0], old_logp=[-1.2], ref_logp=[-1.5], rollout_logp=[-1.2], reward=1.0, group=0)
    one = step(configure(GRPO, {"kl.weight": 1.0, "passes": 1, **settings}), row)
    return one.metrics["loss/kl"], one.gradient("logp")[0][0]


K3, RHO = math.exp(-0.5) - 0.5, math.exp(0.2)


@pytest.mark.parametrize(
    ("estimator", "value", "slope"),
    [
        ("k1", 0.5, 1.0),
        ("k2", 0.125, 0.5),
        ("k3", K3, 1 - math.exp(-0.5)),
        ("k3_corrected", RHO * K3, RHO * (K3 + 1 - math.exp(-0.5))),
        ("k1+", 0.5, 0.5),
        ("k3+", K3, 0.5),
    ],
)
def test_golden_in_the_loss(estimator, value, slope):
    assert moved(kl_in_loss=estimator) == (pytest.approx(value), pytest.approx(slope))


@pytest.mark.parametrize(("estimator", "kl"), [("k1", 0.5), ("k2", 0.125), ("k3", K3)])
@pytest.mark.parametrize("path", ["online/ppo", "online/remax", "online/rloo", "online/dr_grpo", "online/reinforce"])
def test_golden_in_the_reward(path, estimator, kl):
    """Of two answers of one token, one lies 0.5 above the reference."""
    method = configure(load(path), {"kl_in_reward": estimator, "kl_weight": 0.3})
    rows = group([1.0, 1.0], [1, 1], ref_logp=-1.5)[:1] + group([1.0], [1])
    greedy = group([0.0], [1], author=1, train=False) if "remax" in path else []
    one = step(method, *rows, *greedy, **({"max_tokens": 1} if "dr_grpo" in path else {}))
    tensor = "token_reward" if "token_reward" in method.derived else "advantage"
    found = [x[0] for x in one.value(tensor)][:2]
    assert found[1] - found[0] == pytest.approx(0.3 * kl * {"online/rloo": 2}.get(path, 1))


def test_what_a_method_has_already_stays_as_it_is():
    assert configure(GRPO, {"kl_in_loss": "k3"}) == GRPO
    assert configure(PPO, {"kl_in_reward": "k1"}).derived == PPO.derived
    assert configure(RLOO, {"kl_in_reward": "k1"}) == RLOO


def test_none_needs_no_reference():
    for method, key in ((GRPO, "kl_in_loss"), (PPO, "kl_in_reward"), (RLOO, "kl_in_reward")):
        assert "reference" in plan(method).loaded
        assert "reference" not in plan(configure(method, {key: "none"})).loaded
    bare = configure(PPO, {"kl_in_reward": "none"})
    free = configure(PPO, {"kl_weight": 0.0})
    assert step(bare, *group()).gradient("logp") == step(free, *group()).gradient("logp")


def test_rloo_without_the_kl_is_leave_one_out_of_plain_rewards():
    plain = step(configure(RLOO, {"kl_in_reward": "none"}), *group(ref_logp=-7.0))
    assert plain.value("advantage")[3][0] == pytest.approx(8 / 3)


def test_a_term_that_was_not_there_is_reduced_as_the_policy_term_and_has_a_weight():
    made = configure(PPO, {"kl_in_loss": "k3", "kl.weight": 0.2})
    assert (made.loss["kl"].weight, made.loss["kl"].reduce) == (0.2, PPO.loss["policy"].reduce)
    assert configure(REINFORCE, {"kl_in_loss": "k2"}).loss["kl"].reduce == REINFORCE.loss["loss"].reduce


ONLINE = [p for p in paths() if p.startswith("online/")]


@pytest.mark.parametrize("key", ["kl_in_loss", "kl_in_reward"])
@pytest.mark.parametrize("path", ONLINE)
def test_every_method_on_sampled_answers_takes_every_choice_or_refuses_it_before_it_is_planned(path, key):
    method = load(path)
    for choice in ("none", *(IN_LOSS if key == "kl_in_loss" else IN_REWARD)):
        with contextlib.suppress(PartError):
            made = configure(method, {key: choice})
            assert plan(made).trained
            assert choice == "none" or "ref_logp" in made.reads


@pytest.mark.parametrize(
    ("path", "settings", "says"),
    [
        ("preference/dpo", {"kl_in_loss": "k3"}, "dpo samples no answers"),
        ("online/grpo", {"kl_in_loss": "k4"}, "no estimator 'k4'; there are none, k1"),
        ("online/ppo", {"kl_in_reward": "k3+"}, "there are none, k1, k2, k3$"),
        ("online/ppo_adaptive_kl", {"kl_in_reward": "k3"}, "makes a tensor of the KL or its weight"),
        ("preference/dpo", {"kl_in_reward": "k3"}, "reads no reward"),
    ],
)
def test_what_cannot_be_is_an_error(path, settings, says):
    with pytest.raises(PartError, match=says):
        configure(load(path), settings)
