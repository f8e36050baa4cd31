import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.rows import Rows
from posttrain.formulas.credit.token_choice import highest_covariance, without_high_covariance
from tests.harness.numbers import step
from tests.methods.golden.critic_free import TOGETHER

pytestmark = pytest.mark.usefixtures("float64")
CLIP_COV = load("online/clip_cov")


def many(seed=0):
    """A hundred tokens of one row, half of them good."""
    generator = torch.Generator().manual_seed(seed)
    advantage = torch.tensor([1.0, -1.0]).repeat(50)
    return advantage, -3 * torch.rand(100, generator=generator), Rows(torch.zeros(100).long(), torch.ones(100) > 0, 1)


def left_out(share, seed=0, **limits):
    advantage, logp, rows = many()
    return without_high_covariance(advantage, logp, torch.tensor([7]), seed, rows, share=share, **limits) == 0


def test_golden_at_least_one_token_is_left_out_and_never_more_than_the_share():
    assert int(left_out(1e-9, lowest=0.1).sum()) == 1
    assert int(left_out(0.02, lowest=0.1).sum()) == 2
    assert int(left_out(0.029, lowest=0.1).sum()) == 2


def test_none_is_left_out_where_likelihood_and_advantage_are_not_high_together():
    assert not left_out(0.5, lowest=4.0).any()
    high = left_out(0.5, lowest=0.5)
    advantage, logp, _ = many()
    assert high.any()
    assert ((advantage - advantage.mean()) * (logp - logp.mean()))[high].min() > 0.5


def test_other_steps_leave_out_other_tokens():
    drawn = {tuple(left_out(0.05, seed, lowest=0.1).nonzero()[:, 0].tolist()) for seed in range(5)}
    assert len(drawn) == 5


def test_without_tokens_of_high_covariance_it_is_grpo_with_one_mean():
    calm = configure(CLIP_COV, {"lowest": 9.0, "highest": 10.0})
    grpo = configure(load("online/grpo"), {"policy.reduce": "token_mean", "kl.weight": 0.0})
    assert step(calm, *TOGETHER).gradient("logp") == step(grpo, *TOGETHER).gradient("logp")


def test_kl_cov_holds_the_tokens_that_clip_cov_may_leave_out():
    advantage, logp, rows = many()
    held = highest_covariance(advantage, logp, rows, share=0.05) == 1
    assert int(held.sum()) == 5
    least = float(((advantage - advantage.mean()) * (logp - logp.mean()))[held].min())
    assert torch.equal(held, left_out(1.0, lowest=least - 1e-9, highest=99.0))


def test_on_policy_kl_cov_is_the_plain_policy_gradient():
    """Nothing has moved yet, so nobody pays."""
    alike = [type(a)({**a.values, "logp": a.values["old_logp"]}) for a in TOGETHER]
    kl_cov = configure(load("online/kl_cov"), {"minibatches": 1})
    advantage = 1 / (2**0.5 + 1e-6)
    assert step(kl_cov, *alike).gradient("logp") == [
        pytest.approx([-advantage / 4] * 2),
        pytest.approx([advantage / 4] * 2),
    ]
