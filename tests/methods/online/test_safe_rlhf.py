import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import add_value
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("ji2025agt", "002:Safe RLHF")

SAFE, PPO = load("online/safe_rlhf"), load("online/ppo")
UNWHITENED_PPO = variant(
    PPO,
    derived={
        "token_reward": PPO.derived["token_reward"],
        "advantage": PPO.derived["credit"],
        "returns": part(add_value, credit="advantage"),
    },
)


def rows(*earned, ref_logp=-1.0):
    """Answers of one token with (reward, cost)."""
    same = {"logp": [-1.0], "old_logp": [-1.0], "rollout_logp": [-1.0], "ref_logp": [ref_logp]}
    values = dict.fromkeys(("value", "old_value", "cost_value", "old_cost_value"), [0.0])
    return [answer(reward=r, cost=c, **same, **values) for r, c in earned]


def test_golden_advantage():
    one = step(configure(SAFE, {"penalty.rate": 0.0}), *rows((1.0, 0.5)))
    assert one.value("advantage")[0] == pytest.approx([0.25])


def test_a_cost_of_a_thousandth_does_not_weigh_as_much_as_the_reward():
    one = step(configure(SAFE, {"penalty.rate": 0.0}), *rows((1.0, 0.001), (0.0, 0.0)))
    (better,), (worse,) = one.value("advantage")
    assert better - worse == pytest.approx((1 - 0.001) / 2)


def test_golden_multiplier():
    one = step(SAFE, *rows((1.0, 2.0)))
    assert one.metrics["penalty"] == pytest.approx(1.083287, abs=1e-6)
    again = step(SAFE, *rows((1.0, -3.0)), states=one.states)  # the moving average is now 0.9 2 - 0.1 3
    assert again.states["penalty"]["cost"] == pytest.approx(1.5)
    assert again.metrics["penalty"] == pytest.approx(1.083287 * 2.718281828 ** (0.04 * 1.083287 * 1.5), abs=1e-6)


def test_without_a_multiplier_it_is_ppo_without_whitening():
    none = {"penalty": {"lambda": 1e-300, "cost": 0.0}}
    safe = step(SAFE, *rows((1.0, 0.3), (0.0, 0.7)), states=none)
    ppo = step(UNWHITENED_PPO, *rows((1.0, 0.3), (0.0, 0.7)))
    for ours, plain in zip(safe.gradient("logp"), ppo.gradient("logp"), strict=True):
        assert ours == pytest.approx(plain, abs=1e-12)


def test_a_large_multiplier_minimises_the_cost():
    heavy = step(
        configure(SAFE, {"penalty.rate": 0.0, "largest": 1e9}),
        *rows((1.0, 1.0), (0.0, 0.0)),
        states={"penalty": {"lambda": 1e8, "cost": 0.0}},
    )
    assert [a[0] for a in heavy.value("advantage")] == pytest.approx([-1, 0], abs=1e-6)
