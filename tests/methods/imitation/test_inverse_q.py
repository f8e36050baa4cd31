import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from posttrain.formulas.losses.penalties import kl_k2
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("xia2024rab")

INVERSE_Q = load("imitation/inverse_q")
LOGP, REF = [-1.0, -2.0, -0.5], [-1.5, -1.0, -0.5]


def on(token_reward, **settings):
    one = answer(logp=LOGP, ref_logp=REF, token_reward=token_reward)
    return step(configure(INVERSE_Q, settings), one)


def test_golden_a_token_that_is_worth_more_becomes_likelier():
    for worth, sign in ((5.0, -1), (-5.0, 1)):
        assert on([worth] * 3).gradient("logp")[0][0] * sign > 0


def test_nothing_moves_where_the_policy_is_the_estimate():
    one = on([a - b for a, b in zip(LOGP, REF, strict=True)])
    assert one.metrics["loss"] == pytest.approx(0, abs=1e-15)
    assert one.gradient("logp")[0] == pytest.approx([0, 0, 0], abs=1e-15)


def test_without_instruction_there_is_no_reward_and_the_reference_is_best():
    same = answer(logp=REF, ref_logp=REF, token_reward=[0.0] * 3)
    assert step(INVERSE_Q, same).gradient("logp")[0] == [0, 0, 0]


def test_its_gradient_is_that_of_the_kl_k2_towards_the_estimate():
    """Twice (log π/π̂)²/2, where β is 1."""
    one = on([1.0, -1.0, 3.0])
    estimate = torch.tensor(REF) + torch.tensor([1.0, -1.0, 3.0])
    assert one.metrics["loss"] == pytest.approx(float(2 * kl_k2(torch.tensor(LOGP), estimate).sum()))


def test_rewards_come_with_the_data():
    assert "reward" not in plan(INVERSE_Q).loaded
    assert "reference" in plan(INVERSE_Q).loaded
