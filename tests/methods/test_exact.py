"""Methods on a model that can be enumerated: expected gradients to ten digits, and where training ends."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from posttrain.catalogue import load
from posttrain.credit.advantages import add_value, constrained, gae
from posttrain.credit.controllers import adaptive_kl
from posttrain.method import SEQUENCE_SUM, TOKEN_MEAN, Method, Sampling, Stream, Term, without
from posttrain.objectives.penalties import kl_k1, kl_k2, kl_k3
from posttrain.parts import PerToken, part
from posttrain.settings import configure
from posttrain.tensors import Rows
from tests.methods import unseen
from tests.tabular import Exact, Tabular, batch, every_group, kl_optimum, variation

REINFORCE, RLOO, REMAX, DR_GRPO, GRPO = (
    load(f"online/{name}") for name in ("reinforce", "rloo", "remax", "dr_grpo", "grpo")
)
DR_GRPO = replace(DR_GRPO, metrics={})


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


def expected(method, model, reference, groups, columns, train=(True,), law=None, state=None):
    """The exact mean of the method's gradient over every group of answers."""
    made = batch(model, groups, train, **columns)
    law = model.law() if law is None else law
    weights = law[torch.tensor([g if train == (True,) else g[:1] for g in groups])].prod(1)
    assert float(weights.sum()) == pytest.approx(1, abs=1e-12)
    run = Exact(method, {"policy": model, "reference": reference}, {"main": made})
    run.trainer.states = state or {}
    return run.step({"main": made}, weights)


def assert_close(x, y, tolerance=1e-10):
    assert float(y.norm()) > 1e-3
    assert float((x - y).norm()) <= tolerance * float(y.norm())


# ---- unbiased gradients


@pytest.mark.parametrize("baseline", [0.0, 0.7, -3.0])
def test_reinforce_has_the_exact_gradient_whatever_the_baseline(model, reference, reward, baseline):
    state = {"baseline": {"mean": baseline, "weight": 1.0}}
    got = expected(REINFORCE, model, reference, every_group(model, 1), {"reward": reward}, state=state)
    assert_close(got, -ascent(model, (model.logp().exp() * reward).sum()))


@pytest.mark.parametrize("size", [2, 3])
def test_rloo_has_the_exact_gradient_of_reward_minus_kl(model, reference, reward, size):
    got = expected(configure(RLOO, {"kl_weight": 0.3}), model, reference, every_group(model, size), {"reward": reward})
    assert_close(got, -ascent(model, objective(model, reference, reward, 0.3)))


def objective(model, reference, reward, beta):
    """E[R] - β KL(π || π_ref)"""
    logp = model.logp()
    return (logp.exp() * (reward - beta * (logp - reference.logp().detach()))).sum()


@pytest.mark.parametrize("size", [2, 3])
def test_dr_grpo_has_g_minus_1_over_g_of_it(model, reference, reward, size):
    got = expected(DR_GRPO, model, reference, every_group(model, size), {"reward": reward})
    exact = -ascent(model, (model.logp().exp() * reward).sum())
    assert_close(got * size / (size - 1) * model.length, exact)


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
    plain = replace(GRPO, loss=without(GRPO.loss, "kl"))
    got = expected(plain, model, reference, every_group(model, 2), {"reward": reward})
    exact = -ascent(model, (model.logp().exp() * reward).sum())
    assert float((got / got.norm() - exact / exact.norm()).norm()) > 0.05


# ---- Kullback-Leibler estimators


def penalty(estimator):
    return Method(name="kl", streams=Stream("prompts", (Sampling(),)), loss=Term(estimator, reduce=SEQUENCE_SUM))


def mean_and_gradient(estimator, model, reference):
    made = batch(model, every_group(model, 1))
    run = Exact(penalty(estimator), {"policy": model, "reference": reference}, {"main": made})
    gradient = run.step({"main": made}, model.law())
    logp, ref = (m.outputs(made["tokens"], made["rows"], ["logp"])["logp"].detach() for m in (model, reference))
    mean = (model.law() * made["rows"].sum(estimator(logp, ref))).sum()
    return float(mean), gradient


def by_prefix(model, reference, forward):
    """Σ_s d(s) KL at s, with the visits d held fixed; forward: KL(π_ref || π)."""
    p, q = model.logits.log_softmax(-1), reference.logits.log_softmax(-1).detach()
    kl = (q.exp() * (q - p)).sum(-1) if forward else (p.exp() * (p - q)).sum(-1)
    visits = torch.zeros(len(model.prefixes))
    for answer, weight in zip(model.answers, model.law(), strict=True):
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


# ---- where training ends

BETA = 0.5


@pytest.fixture
def small():
    """Seven answers of one or two tokens, a reference, and rewards."""
    reference = Tabular(3, 2, seed=5)
    return Tabular(3, 2, seed=5), reference, torch.tensor([0.3, -0.5, 1.0, 0.0, 0.6, -1.0, 0.9])


def test_the_kl_optimum_of_the_catalogue():
    """One token, π_ref = (.5, .3, .2), R = (1, 0, 0), β = 1."""
    best = kl_optimum(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([1.0, 0.0, 0.0]), 1.0)
    assert best.tolist() == pytest.approx([0.731059, 0.161365, 0.107577], abs=1e-6)


def train(run, made, policy, groups, steps):
    for _ in range(steps):
        run.step({"main": made}, policy.law()[torch.tensor(groups)].prod(1))


def test_rloo_ends_at_the_kl_optimum(small):
    policy, reference, reward = small
    groups = every_group(policy, 2)
    made = batch(policy, groups, reward=reward)
    run = Exact(configure(RLOO, {"kl_weight": BETA}), {"policy": policy, "reference": reference}, {"main": made}, 0.05)
    best = kl_optimum(reference.law(), reward, BETA)
    assert variation(policy.law(), best) > 0.3
    train(run, made, policy, groups, 200)
    assert variation(policy.law(), best) < 0.005


def test_ppo_ends_at_the_kl_optimum(small):
    policy, reference, reward = small
    ppo = load("online/ppo")
    token_reward = ppo.derived["token_reward"]
    bare = replace(  # whitening would depend on how often an answer is listed rather than on its probability
        configure(ppo, {"kl_weight": BETA}),
        derived={
            "token_reward": configure(ppo, {"kl_weight": BETA}).derived["token_reward"],
            "advantage": part(gae, lam=0.95),
            "returns": part(add_value, credit="advantage"),
        },
        metrics={},
        passes=2,
    )
    assert token_reward.part.fn is bare.derived["token_reward"].part.fn
    groups = every_group(policy, 1)
    made = batch(policy, groups, reward=reward)
    models = {"policy": policy, "reference": reference, "critic": Tabular(3, 2)}
    run = Exact(bare, models, {"main": made}, 0.03)
    train(run, made, policy, groups, 200)
    assert variation(policy.law(), kl_optimum(reference.law(), reward, BETA)) < 0.02


def preferences(model, reward):
    """Every ordered pair of two answers, and how often Bradley and Terry's judge would give it that order."""
    pairs = [(i, j) for i, j in every_group(model, 2) if i != j]
    wins = torch.stack([(reward[i] - reward[j]).sigmoid() for i, j in pairs])
    return pairs, wins / wins.sum()


def fit(method, policy, reference, pairs, weights, steps=200, rate=0.05):
    made = batch(policy, pairs, pairs=True)
    run = Exact(method, {"policy": policy, "reference": reference}, {"main": made}, rate)
    for _ in range(steps):
        run.step({"main": made}, weights)
    return policy.law()


def test_dpo_on_all_preferences_ends_at_the_kl_optimum(small):
    policy, reference, reward = small
    pairs, weights = preferences(policy, reward)
    law = fit(configure(load("preference/dpo"), {"beta": BETA}), policy, reference, pairs, weights)
    assert variation(law, kl_optimum(reference.law(), reward, BETA)) < 0.005


@pytest.mark.parametrize(("certainty", "gap"), [(1.0, 5.0), (0.8, 3.0), (0.5, 0.0)])
def test_ipo_ends_at_a_finite_gap_where_dpo_does_not(certainty, gap):
    """Two answers of one token: log-ratios (2p - 1)/(2τ) apart, even where p is 1."""
    pairs, weights = [(0, 1), (1, 0)], torch.tensor([certainty, 1 - certainty])
    ends = {}
    for name in ("ipo", "dpo"):
        policy, reference = Tabular(2, 1, ends=False), Tabular(2, 1, ends=False)
        law = fit(load(f"preference/{name}"), policy, reference, pairs, weights, steps=300, rate=0.1)
        ends[name] = float(law[0].log() - law[1].log())
    assert ends["ipo"] == pytest.approx(gap, abs=0.02)
    if certainty == 1:
        assert ends["dpo"] > 15


# ---- games


NASH = load("online/nash_md")


def mixture(policy, reference, share):
    """The law of π^share π_ref^(1 - share), renormalised at every token."""
    mixed = Tabular(policy.vocabulary, policy.length, ends=policy.ends)
    logits = [m.logits.detach().log_softmax(-1) for m in (policy, reference)]
    mixed.logits.data = share * logits[0] + (1 - share) * logits[1]
    return mixed.law()


def game(policy, wins):
    pairs = every_group(policy, 2)
    return pairs, {"reward": lambda k, place: float(wins[pairs[k]]) if place == 0 else 0.0}


def test_nash_md_has_the_exact_gradient_of_the_regularised_game(model, reference):
    generator = torch.Generator().manual_seed(4)
    strength = torch.randn(15, 15, generator=generator)
    wins = (strength - strength.T).sigmoid()
    opponent = mixture(model, reference, 0.75)
    pairs, columns = game(model, wins)
    made = batch(model, pairs, train=(True, False), **columns)
    weights = torch.outer(model.law(), opponent).flatten()
    run = Exact(configure(NASH, {"tau": 0.2}), {"policy": model, "reference": reference}, {"main": made})
    got = run.step({"main": made}, weights)
    assert_close(got, -ascent(model, objective(model, reference, wins @ opponent, 0.2)))


CYCLE = torch.tensor([[0.5, 0.95, 0.3], [0.05, 0.5, 0.9], [0.7, 0.1, 0.5]], dtype=torch.float64)
TAU = 0.2


def best_response(reference, share):
    """The fixed point π ∝ π_ref exp(P(y ≻ π^share π_ref^(1-share)) / τ), by damped iteration."""
    logp = reference.log()
    for _ in range(1000):
        opponent = (share * logp + (1 - share) * reference.log()).softmax(-1)
        logp = (0.9 * logp + 0.1 * (reference.log() + CYCLE @ opponent / TAU)).log_softmax(-1)
    return logp.exp()


def leaning():
    """A reference that prefers the first answer."""
    model = Tabular(3, 1, ends=False)
    model.logits.data = torch.tensor([[0.8, 0.0, -0.4]])
    return model


@pytest.mark.parametrize("share", [1.0, 0.75])
def test_nash_md_ends_at_the_equilibrium_of_a_cyclic_game(share):
    """Against oneself: the Nash equilibrium of the regularised game. Against the mixture: the best response to it."""
    policy, reference = leaning(), leaning()
    pairs, columns = game(policy, CYCLE)
    made = batch(policy, pairs, train=(True, False), **columns)
    run = Exact(configure(NASH, {"tau": TAU}), {"policy": policy, "reference": reference}, {"main": made}, 0.02)
    end = best_response(reference.law(), share)
    assert variation(policy.law(), end) > 0.1
    for _ in range(300):
        run.step({"main": made}, torch.outer(policy.law(), mixture(policy, reference, share)).flatten())
    assert variation(policy.law(), end) < 0.002


def test_the_mixture_moves_the_equilibrium():
    """Against the mixture one ends elsewhere than against oneself: a constant share is not free."""
    reference = leaning().law()
    assert variation(best_response(reference, 1.0), best_response(reference, 0.75)) > 0.02


# ---- constraints and controllers


def in_proportion(law, size):
    """`size` answers, each as often as its probability says (largest remainders)."""
    counts = (law * size).floor()
    for i in (law * size - counts).argsort(descending=True)[: size - int(counts.sum())]:
        counts[i] += 1
    return [(i,) for i, n in enumerate(counts.tolist()) for _ in range(int(n))]


REWARD, PENALTY = torch.tensor([1.0, 0.4, 0.0], dtype=torch.float64), 0.3


def constrained_run(cost, steps):
    """Safe RLHF on three answers of one token, without whitening so that the optimum is known in closed form."""
    safe = configure(load("online/safe_rlhf"), {"penalty.rate": 0.1, "penalty.decay": 0.0, "kl_weight": PENALTY})
    advantage = part(constrained, reward_credit="credit", cost_credit="cost_credit")
    safe = replace(safe, passes=1, derived=safe.derived | {"advantage": advantage})
    models = {role: Tabular(3, 1, ends=False) for role in ("policy", "reference", "critic", "cost_critic")}
    run = Exact(safe, models, {"main": batch(models["policy"], [(0,)], reward=REWARD, cost=cost)}, 0.05)
    for _ in range(steps):
        groups = in_proportion(models["policy"].law(), 60)
        run.step({"main": batch(models["policy"], groups, reward=REWARD, cost=cost)})
    return models["policy"].law(), run.trainer.states["penalty"]["lambda"]


def multiplier_of(reference, cost):
    """The λ at which π_ref exp((R - λC) / ((1 + λ) β)) costs nothing, by bisection."""
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        over = float(constrained_optimum(reference, cost, middle) @ cost) > 0
        low, high = (middle, high) if over else (low, middle)
    return low


def constrained_optimum(reference, cost, multiplier):
    return kl_optimum(reference, (REWARD - multiplier * cost) / (1 + multiplier), PENALTY)


def test_safe_rlhf_ends_where_the_constraint_is_met_and_no_sooner():
    """The Karush-Kuhn-Tucker point: its law, its multiplier, and a cost of zero that the free optimum exceeds."""
    cost, reference = torch.tensor([1.0, -0.5, -1.0]), torch.full((3,), 1 / 3)
    assert float(kl_optimum(reference, REWARD, PENALTY) @ cost) > 0.5
    law, multiplier = constrained_run(cost, 180)
    exact = multiplier_of(reference, cost)
    assert abs(float(law @ cost)) < 0.03
    assert multiplier == pytest.approx(exact, abs=0.03)
    assert variation(law, constrained_optimum(reference, cost, exact)) < 0.02


def test_safe_rlhf_forgets_a_constraint_that_does_not_bind():
    law, multiplier = constrained_run(torch.tensor([-2.0, -2.0, -2.0]), 120)
    assert multiplier < 0.05
    assert variation(law, kl_optimum(torch.full((3,), 1 / 3), REWARD, PENALTY)) < 0.02


@pytest.mark.parametrize("start", [0.05, 2.0])
def test_the_adaptive_coefficient_brings_the_kl_to_its_target(start):
    """A policy that answers a coefficient with its KL optimum: four answers, rewards 0 to 3."""
    reference, reward = torch.full((4,), 0.25), torch.arange(4.0)
    target, state = 0.4, {"weight": start}
    rows = Rows(torch.arange(8), torch.ones(8, dtype=torch.bool), 8)
    for _ in range(300):
        law = kl_optimum(reference, reward, state["weight"])
        kl = float((law * (law / reference).log()).sum())
        state, _ = adaptive_kl(state, torch.full((8,), kl), torch.zeros(8), rows, target=target, horizon=50.0)
    assert kl == pytest.approx(target, rel=0.01)


# ---- the first step is on policy


def distance(logp: PerToken, old_logp: PerToken) -> PerToken:
    """|log π - log π_old|"""
    return (logp - old_logp).abs()


@pytest.mark.parametrize("path", ["online/grpo", "online/gspo", "online/ppo", "online/dapo"])
def test_before_the_first_update_every_ratio_is_exactly_one(path):
    """Though the old log-probs may come from another forward pass, cut another way."""
    method = load(path)
    watched = replace(method, metrics={"distance": Term(distance, reduce=TOKEN_MEAN)}, passes=1, minibatches=1)
    made = unseen.batches(watched)
    models = unseen.networks(watched, made)
    for tokens in (10**6, 30):
        metrics, _, _ = unseen.trained(watched, made, models, tokens)
        assert metrics["distance"] == 0
    moved, _, _ = unseen.trained(replace(watched, passes=2), made, models)
    assert moved["distance"] > 0
    assert math.isfinite(moved["distance"])
