"""EPPO: a penalty on the distance of energy losses."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("miao2025ox0")

PPO, EPPO = load("online/ppo"), load("online/eppo")
SAME = {n: [-1.0] * 2 for n in ("logp", "old_logp", "rollout_logp")} | {"ref_logp": [-1.2, -0.9]}
CRITIC = {n: [0.5, 0.3] for n in ("value", "old_value")}


def answers(energy, usual):
    """Rewards 1 and 0, and an answer of the reference."""
    made = [answer(reward=r, group=0, author=0, old_energy=e, ref_energy=[9.0] * 2, **SAME, **CRITIC)
            for r, e in zip((1.0, 0.0), energy, strict=True)]  # fmt: skip
    return [
        *made,
        answer(False, reward=0.0, group=0, author=1, old_energy=[9.0] * 2, ref_energy=usual, **SAME, **CRITIC),
    ]


@pytest.mark.parametrize(
    ("price", "energy"), [(0.0, [[3.0, -1.0], [8.0, 8.0]]), (5.0, [[0.1, 0.3], [0.4, 0.0]])], ids=["free", "usual"]
)
def test_without_a_price_or_a_deviation_it_is_ppo(price, energy):
    one, ppo = (step(m, *answers(energy, [0.2, 0.2])) for m in (configure(EPPO, {"price": price}), PPO))
    assert one.value("advantage") == ppo.value("advantage")
    assert one.metrics == ppo.metrics


def test_more_and_less_energy_cost_alike_and_in_proportion():
    def reward(energy, price=1.0):
        method = configure(EPPO, {"price": price, "kl_weight": 0.0})
        return sum(step(method, *answers([energy, [0.0, 0.0]], [0.2, 0.4])).value("token_reward")[0])

    assert reward([0.5, 0.5]) == pytest.approx(0.8)
    assert reward([0.2, 0.0]) == pytest.approx(0.8)
    assert reward([0.7, 0.7], price=2.0) == pytest.approx(0.2)
