"""Methods on a model that can be enumerated: expected gradients to ten digits."""

from __future__ import annotations

import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import SEQUENCE_SUM, TOKEN_MEAN, Method, Sampling, Stream, Term, variant, without
from posttrain.core.parts import PerToken
from posttrain.formulas.losses.penalties import (
    kl_k1,
    kl_k1_straight,
    kl_k2,
    kl_k3,
    kl_k3_corrected,
    kl_k3_straight,
)
from tests.harness import generated
from tests.harness.enumerated import Exact, Tabular, batch, every_group, game, mixture

REINFORCE, RLOO, REMAX, DR_GRPO, GRPO, PASS_AT_K, MAXRL = (
    load(f"online/{name}") for name in ("reinforce", "rloo", "remax", "dr_grpo", "grpo", "pass_at_k", "maxrl")
)
DR_GRPO = variant(DR_GRPO, metrics={})


@pytest.fixture
def model():
    return Tabular(seed=1)  # 15 answers of one to three tokens


@pytest.fixture
def reference():
    return Tabular(seed=2)


@pytest.fixture
def reward(model):
    return torch.randn(len(model.answers), generator=torch.Generator().manual_seed(3))


def ascent(model, value):
    """The gradient of a number that depends on the policy."""
    return torch.autograd.grad(value, model.logits)[0]


def expected(method, model, reference, groups, columns, train=(True,), distribution=None, state=None):
    """The exact mean of the method's gradient over every group of answers."""
    made = batch(model, groups, train, **columns)
    distribution = model.distribution() if distribution is None else distribution
    weights = distribution[torch.tensor([g if train == (True,) else g[:1] for g in groups])].prod(1)
    assert float(weights.sum()) == pytest.approx(1, abs=1e-12)
    run = Exact(method, {"policy": model, "reference": reference}, {"main": made})
    run.trainer.states = state or {}
    return run.step({"main": made}, weights)


def assert_close(x, y, tolerance=1e-10):
    assert float(y.norm()) > 1e-3
    assert float((x - y).norm()) <= tolerance * float(y.norm())


# ---- unbiased gradients


@pytest.mark.paper("wang2023v62", "001-text:REINFORCE")
@pytest.mark.parametrize("baseline", [0.0, 0.7, -3.0])
def test_reinforce_has_the_exact_gradient_whatever_the_baseline(model, reference, reward, baseline):
    state = {"baseline": {"mean": baseline, "weight": 1.0}}
    got = expected(REINFORCE, model, reference, every_group(model, 1), {"reward": reward}, state=state)
    assert_close(got, -ascent(model, (model.logp().exp() * reward).sum()))


@pytest.mark.parametrize("size", [2, 3])
def test_rloo_has_the_exact_gradient_of_reward_minus_kl(model, reference, reward, size):
    got = expected(configure(RLOO, {"kl_weight": 0.3}), model, reference, every_group(model, size), {"reward": reward})
    assert_close(got, -ascent(model, objective(model, reference, reward, 0.3)))


@pytest.mark.parametrize("size", [2, 3])
def test_pass_at_k_has_the_exact_gradient_of_the_best_of_k(model, reference, reward, size):
    groups = every_group(model, size)
    got = expected(PASS_AT_K, model, reference, groups, {"reward": reward})
    chosen = torch.tensor(groups)
    best = (model.logp().exp()[chosen].prod(1) * reward[chosen].amax(1)).sum()
    assert_close(size * got, -ascent(model, best))


@pytest.mark.parametrize("size", [2, 3])
def test_maxrl_has_the_gradient_of_the_truncated_likelihood(model, reference, size):
    """∇p Σ_{k<G-1} (1-p)^k, the first terms of ∇ log p = ∇p / p = ∇p Σ_k (1-p)^k."""
    right = (torch.arange(len(model.answers)) % 3 == 0).to(torch.float64)
    got = expected(MAXRL, model, reference, every_group(model, size), {"reward": right})
    p = (model.logp().exp() * right).sum()
    assert_close(got, -ascent(model, p) * sum((1 - float(p.detach())) ** k for k in range(size - 1)))


def objective(model, reference, reward, beta):
    """E[R] - β KL(π || π_ref)"""
    logp = model.logp()
    return (logp.exp() * (reward - beta * (logp - reference.logp().detach()))).sum()


@pytest.mark.parametrize("size", [2, 3])
def test_dr_grpo_has_g_minus_1_over_g_of_it(model, reference, reward, size):
    got = expected(DR_GRPO, model, reference, every_group(model, size), {"reward": reward})
    exact = -ascent(model, (model.logp().exp() * reward).sum())
    assert_close(got * size / (size - 1) * model.length, exact)


@pytest.mark.paper("001-text:SCST")
def test_remax_has_the_exact_gradient_with_kl_token_by_token(model, reference, reward):
    greedy = greedy_answer(model)
    groups = [(i, greedy) for i in range(len(model.answers))]
    got = expected(
        configure(REMAX, {"kl_weight": 0.3}), model, reference, groups, {"reward": reward}, train=(True, False)
    )
    assert_close(got, -ascent(model, objective(model, reference, reward, 0.3)))


def greedy_answer(model):
    answer = ()
    while answer not in model.answers:
        answer += (int(model.logits[model.place[answer]].argmax()),)
    return model.answers.index(answer)


def test_grpo_has_another_gradient(model, reference, reward):
    """Standard deviations and lengths bias it: the test would notice."""
    plain = variant(GRPO, loss=without(GRPO.loss, "kl"))
    got = expected(plain, model, reference, every_group(model, 2), {"reward": reward})
    exact = -ascent(model, (model.logp().exp() * reward).sum())
    assert float((got / got.norm() - exact / exact.norm()).norm()) > 0.05


@pytest.mark.paper("000-text:Nash-LHF")
def test_nash_md_has_the_exact_gradient_of_the_regularised_game(model, reference):
    generator = torch.Generator().manual_seed(4)
    strength = torch.randn(15, 15, generator=generator)
    wins = (strength - strength.T).sigmoid()
    opponent = mixture(model, reference, 0.75)
    pairs, columns = game(model, wins)
    made = batch(model, pairs, train=(True, False), **columns)
    weights = torch.outer(model.distribution(), opponent).flatten()
    run = Exact(
        configure(load("online/nash_md"), {"tau": 0.2}), {"policy": model, "reference": reference}, {"main": made}
    )
    got = run.step({"main": made}, weights)
    assert_close(got, -ascent(model, objective(model, reference, wins @ opponent, 0.2)))


# ---- Kullback-Leibler estimators


def penalty(estimator):
    return Method(name="kl", streams=Stream("prompts", (Sampling(),)), loss=Term(estimator, reduce=SEQUENCE_SUM))


def mean_and_gradient(estimator, model, reference):
    made = batch(model, every_group(model, 1))
    run = Exact(penalty(estimator), {"policy": model, "reference": reference}, {"main": made})
    gradient = run.step({"main": made}, model.distribution())
    logp, ref = (m.outputs(made["tokens"], made["rows"], ["logp"])["logp"].detach() for m in (model, reference))
    mean = (model.distribution() * made["rows"].sum(estimator(logp, ref))).sum()
    return float(mean), gradient


def by_prefix(model, reference, forward, drawn_by=None):
    """Σ_s d(s) KL at s, with the visits d (of π, or of who drew the answers) held fixed; forward: KL(π_ref || π)."""
    p, q = model.logits.log_softmax(-1), reference.logits.log_softmax(-1).detach()
    kl = (q.exp() * (q - p)).sum(-1) if forward else (p.exp() * (p - q)).sum(-1)
    visits = torch.zeros(len(model.prefixes))
    for answer, weight in zip(model.answers, (drawn_by or model).distribution(), strict=True):
        for t in range(len(answer)):
            visits[model.place[answer[:t]]] += weight
    return (visits * kl).sum()


def test_k1_and_k3_are_unbiased_and_k2_is_not(model, reference):
    logp = model.logp().detach()
    kl = float((logp.exp() * (logp - reference.logp().detach())).sum())
    assert mean_and_gradient(kl_k1, model, reference)[0] == pytest.approx(kl, abs=1e-12)
    assert mean_and_gradient(kl_k3, model, reference)[0] == pytest.approx(kl, abs=1e-12)
    assert abs(mean_and_gradient(kl_k2, model, reference)[0] - kl) > 0.01


def test_as_a_loss_k1_is_noise_k2_is_the_reverse_and_k3_the_forward_kl(model, reference):
    assert float(mean_and_gradient(kl_k1, model, reference)[1].norm()) < 1e-14
    k2, k3 = mean_and_gradient(kl_k2, model, reference)[1], mean_and_gradient(kl_k3, model, reference)[1]
    assert_close(k2, ascent(model, by_prefix(model, reference, forward=False)))
    assert_close(k3, ascent(model, by_prefix(model, reference, forward=True)))


def test_for_a_single_token_that_is_the_whole_gradient_and_for_more_it_is_not():
    one, ref = Tabular(4, 1, seed=1, ends=False), Tabular(4, 1, seed=2, ends=False)
    whole = ascent(one, -objective(one, ref, torch.zeros(4), 1.0))
    assert_close(mean_and_gradient(kl_k2, one, ref)[1], whole)
    long, ref = Tabular(seed=1), Tabular(seed=2)
    whole = ascent(long, -objective(long, ref, torch.zeros(15), 1.0))
    assert float((mean_and_gradient(kl_k2, long, ref)[1] - whole).norm()) > 0.05 * float(whole.norm())


STRAIGHT = (kl_k2, kl_k3_corrected, kl_k1_straight, kl_k3_straight)


@pytest.mark.parametrize("estimator", STRAIGHT, ids=lambda f: f.__name__)
def test_corrected_and_straight_through_estimators_have_the_gradient_of_the_reverse_kl(model, reference, estimator):
    made = batch(model, every_group(model, 1))
    run = Exact(penalty(estimator), {"policy": model, "reference": reference}, {"main": made})
    assert_close(run.step({"main": made}, model.distribution()), ascent(model, by_prefix(model, reference, False)))


def test_off_policy_only_the_corrected_estimator_keeps_it(model, reference):
    """Answers of another policy: its visits, and at each of them KL(π || π_ref)."""
    old = Tabular(seed=6)
    visited = batch(model, every_group(model, 1))
    drawn = old.outputs(visited["tokens"], visited["rows"], ["logp"])["logp"].detach()
    made = visited.add({"old_logp": drawn}, {"old_logp": "T"})
    exact = ascent(model, by_prefix(model, reference, False, drawn_by=old))
    errors = {}
    for estimator in (kl_k3_corrected, kl_k3_straight):
        run = Exact(penalty(estimator), {"policy": model, "reference": reference}, {"main": made})
        errors[estimator] = float((run.step({"main": made}, old.distribution()) - exact).norm() / exact.norm())
    assert errors[kl_k3_corrected] < 1e-10
    assert errors[kl_k3_straight] > 0.1


@pytest.mark.parametrize("path", ["online/reinforce", "online/rloo", "online/remax"])
def test_k1_in_the_reward_has_the_gradient_of_the_kl_wherever_it_is_placed(model, reference, reward, path):
    """At each token (reinforce, remax) and of the whole answer (rloo)."""
    assert_close(*in_reward(path, "k1", model, reference, reward))


def in_reward(path, estimator, model, reference, reward):
    """The expected gradient with the KL in the reward at β = 0.3, and that of -(E[R] - β KL)."""
    method = configure(load(path), {"kl_in_reward": estimator, "kl_weight": 0.3})
    groups, train = every_group(model, 2 if path == "online/rloo" else 1), (True,)
    if path == "online/remax":
        groups, train = [(i, greedy_answer(model)) for i in range(len(model.answers))], (True, False)
    got = expected(method, model, reference, groups, {"reward": reward}, train=train)
    return got, -ascent(model, objective(model, reference, reward, 0.3))


def test_k3_in_the_reward_lacks_the_gradient_of_the_estimate_itself(model, reference, reward):
    """What is missing is E[∇ k3], the gradient of KL(π_ref || π) at the visits."""
    got, exact = in_reward("online/reinforce", "k3", model, reference, reward)
    missing = 0.3 * ascent(model, by_prefix(model, reference, forward=True))
    assert_close(got, exact - missing)


# ---- the first step is on policy


def distance(logp: PerToken, old_logp: PerToken) -> PerToken:
    """|log π - log π_old|"""
    return (logp - old_logp).abs()


@pytest.mark.parametrize("path", ["online/grpo", "online/gspo", "online/ppo", "online/dapo"])
def test_before_the_first_update_every_ratio_is_exactly_one(path):
    """Though the old log-probs may come from another forward pass, cut another way."""
    method = load(path)
    watched = variant(method, metrics={"distance": Term(distance, reduce=TOKEN_MEAN)}, passes=1, minibatches=1)
    made = generated.batches(watched)
    models = generated.networks(watched, made)
    for tokens in (10**6, 30):
        metrics, _, _ = generated.trained(watched, made, models, tokens)
        assert metrics["distance"] == 0
    moved, _, _ = generated.trained(variant(watched, passes=2), made, models)
    assert moved["distance"] > 0
    assert math.isfinite(moved["distance"])
