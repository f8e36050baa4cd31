"""The law of potentials: whatever they are, advantages and gradients stay those of the plain rewards."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import variant
from posttrain.core.parts import PerToken, part
from tests.harness.enumerated import Tabular
from tests.harness.numbers import answer, step
from tests.methods.online.test_rto import expected_gradient, unclipped

pytestmark = pytest.mark.paper("li2024h19")

PPO, SHAPED = load("online/ppo"), load("online/potential_shaping")
SAME = {n: [-1.0] * 3 for n in ("logp", "old_logp", "rollout_logp")} | {"ref_logp": [-1.3, -0.9, -1.1]}
VALUES, POTENTIAL = [0.5, 0.4, 0.3], [0.7, -1.2, 5.0]


class Scored(Tabular):
    """A number for every prefix, whole answers included."""

    def outputs(self, tokens, rows, names, **_):
        generator = torch.Generator().manual_seed(8)
        table = torch.randn(100, generator=generator)
        prefix, _owner = self._prefixes(tokens, rows)
        return {"prefix_score": table[prefix * self.vocabulary + torch.where(tokens < self.vocabulary, tokens, 0)]}


def gain_alone(token_reward: PerToken, potential: PerToken) -> PerToken:
    """r_t + Φ(s_{t+1}): what is paid for being somewhere, again and again"""
    return token_reward + potential


def models():
    return {"policy": Tabular(seed=1), "reference": Tabular(seed=2), "potential": Scored(), "critic": Tabular()}


def gradient(method):
    reward = torch.randn(15, generator=torch.Generator().manual_seed(3))
    return expected_gradient(unclipped(configure(method, {"kl_weight": 0.3})), models(), reward=reward)


def test_the_expected_gradient_is_that_of_the_plain_rewards():
    """Every answer of a model that can be enumerated, with a potential that means nothing."""
    plain, shaped = gradient(PPO), gradient(configure(SHAPED, {"scale": 3.0}))
    assert float(plain.norm()) > 0.01
    assert float((shaped - plain).norm()) <= 1e-10 * float(plain.norm())


def test_what_is_no_potential_changes_it():
    other = variant(
        SHAPED,
        derived=SHAPED.derived | {"token_reward": part(gain_alone, token_reward=PPO.derived["token_reward"].part)},
    )
    assert float((gradient(other) - gradient(PPO)).norm()) > 0.1


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.95), (0.9, 0.5), (0.7, 0.0)])
def test_a_critic_that_has_learned_the_shaped_values_gives_the_same_advantages(gamma, lam):
    """V'(s) = V(s) - c Φ(s), for every γ and λ."""
    before = [0.0, *POTENTIAL[:-1]]
    shifted = [v - 2.0 * phi for v, phi in zip(VALUES, before, strict=True)]
    plain = configure(PPO, {"gamma": gamma, "lam": lam})
    shaped = configure(SHAPED, {"gae.gamma": gamma, "plus_potential.gamma": gamma, "lam": lam, "scale": 2.0})
    one = step(plain, answer(reward=2.0, **SAME, value=VALUES, old_value=VALUES))
    other = step(shaped, answer(reward=2.0, **SAME, value=shifted, old_value=shifted, potential=POTENTIAL))
    assert other.value("credit")[0] == pytest.approx(one.value("credit")[0], abs=1e-12)


def test_with_the_score_of_the_answer_as_its_reward_it_is_red():
    """RED pays the score by its differences; so does shaping, and the last difference pays what is left of it."""
    red = step(load("online/red"), answer(reward=5.0, **SAME, value=VALUES, old_value=VALUES, prefix_reward=POTENTIAL))
    mine = step(SHAPED, answer(reward=5.0, **SAME, value=VALUES, old_value=VALUES, potential=POTENTIAL))
    assert mine.value("token_reward")[0] == pytest.approx(red.value("token_reward")[0], abs=1e-12)
