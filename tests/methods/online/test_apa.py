import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import variant, without
from tests.harness.enumerated import Exact, Tabular, batch, every_group, variation
from tests.harness.numbers import answer, step
from tests.methods.online.group import flat, group, only_policy

pytestmark = pytest.mark.paper("000:[15]")

APA, AWR, PPO = load("online/apa"), load("online/awr"), load("online/ppo")


def once(method, answers, **settings):
    return step(configure(method, {"passes": 1, **settings}), *answers)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 7.0])
def test_the_first_step_is_ppos_times_two_over_lambda(temperature):
    mine, theirs = once(APA, group(), temperature=temperature), once(PPO, group())
    assert flat(mine.gradient("logp")) == pytest.approx([2 / temperature * g for g in flat(theirs.gradient("logp"))])
    assert flat(mine.gradient("value")) == pytest.approx(flat(theirs.gradient("value")))


def at(log_ratio, advantage, **settings):
    """The policy term of a token whose log-prob has moved by `log_ratio`, with an advantage that the test gives."""
    one = answer(logp=[-3.0 + log_ratio], old_logp=[-3.0], ref_logp=[-2.0], advantage=[advantage], reward=0.0)
    return step(configure(only_policy(APA), settings), one)


def test_it_rests_at_the_improved_policy():
    rest = at(0.5 / 2.0, 0.5, temperature=2.0)
    assert (rest.metrics["loss"], rest.gradient("logp")) == (0, [[0]])
    assert (
        at(0.1, 0.5, temperature=2.0).gradient("logp")[0][0] < 0 < at(0.3, 0.5, temperature=2.0).gradient("logp")[0][0]
    )


def test_the_reference_as_anchor():
    assert at(1.25, 0.5, temperature=2.0, improves="ref").metrics["loss"] == 0


def test_far_from_the_old_policy_it_still_pulls_back():
    """Where PPO's clip has cut off the gradient."""
    assert at(2.0, 1.0, temperature=1.0).gradient("logp")[0][0] > 0


@pytest.fixture
def bandit():
    """Three answers, and advantages under which π_old exp(A/λ) adds up to 1 at λ = 0.5."""
    policy = Tabular(3, 1, seed=2, ends=False)
    old = policy.distribution()
    gain = torch.tensor([0.4, -0.2, 0.1])
    return policy, old, gain - 0.5 * torch.log((old * (gain / 0.5).exp()).sum())


@pytest.mark.parametrize("method", [APA, AWR])
def test_on_a_bandit_it_ends_at_the_step_of_mirror_descent(bandit, method):
    policy, old, advantage = bandit
    made = batch(policy, every_group(policy, 1))
    tokens = {n: made["rows"].spread(x) for n, x in {"advantage": advantage, "old_logp": old.log()}.items()}
    made = made.add(tokens, dict.fromkeys(tokens, "T"))
    plain = configure(variant(only_policy(method), metrics={}), {"temperature": 0.5})
    run = Exact(plain, {"policy": policy, "reference": policy}, {"main": made}, 0.03)
    for _ in range(150):
        run.step({"main": made}, old)
    assert variation(policy.distribution(), old) > 0.1
    assert variation(policy.distribution(), old * (advantage / 0.5).exp()) < 0.003


def test_awr_pushes_no_token_down_and_without_advantages_it_is_sft():
    worst = once(AWR, group()).gradient("logp")
    assert all(g < 0 for g in flat(worst))
    alike = once(AWR, group([0.0] * 4))
    sft = step(variant(load("imitation/sft"), metrics={}), *group())
    assert flat(alike.gradient("logp")) == pytest.approx(flat(sft.gradient("logp")))


def test_awr_weighs_alike_what_is_equally_good_whatever_the_reward_is_measured_in():
    method = configure(AWR, {"gae.lam": 1.0})
    plain, scaled = once(method, group()), once(method, group([10 * r + 5 for r in (1.0, 0.0, 0.0, 3.0)]))
    assert flat(scaled.gradient("logp")) == pytest.approx(flat(plain.gradient("logp")))


def test_apa_keeps_ppos_metrics_except_the_clip():
    assert set(APA.metrics) == set(without(PPO.metrics, "clip_ratio/region_mean"))
