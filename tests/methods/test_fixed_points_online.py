"""Training on exact expectations, of a model that can be enumerated: what each method converges to."""

from __future__ import annotations

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.core.rows import Rows
from posttrain.formulas.credit.advantages import add_value, gae
from posttrain.formulas.credit.controllers import adaptive_kl
from tests.harness.enumerated import Exact, Tabular, batch, every_group, game, kl_optimum, mixture, variation

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
        run.step({"main": made}, policy.distribution()[torch.tensor(groups)].prod(1))


def test_rloo_ends_at_the_kl_optimum(small):
    policy, reference, reward = small
    groups = every_group(policy, 2)
    made = batch(policy, groups, reward=reward)
    run = Exact(
        configure(load("online/rloo"), {"kl_weight": BETA}),
        {"policy": policy, "reference": reference},
        {"main": made},
        0.05,
    )
    best = kl_optimum(reference.distribution(), reward, BETA)
    assert variation(policy.distribution(), best) > 0.3
    train(run, made, policy, groups, 200)
    assert variation(policy.distribution(), best) < 0.005


def test_ppo_ends_at_the_kl_optimum(small):
    """Without whitening, which here would go by how often an answer is listed and not by its probability."""
    policy, reference, reward = small
    ppo = configure(load("online/ppo"), {"kl_weight": BETA})
    derived = {
        "token_reward": ppo.derived["token_reward"],
        "advantage": part(gae, lam=0.95),
        "returns": part(add_value, credit="advantage"),
    }
    groups = every_group(policy, 1)
    made = batch(policy, groups, reward=reward)
    models = {"policy": policy, "reference": reference, "critic": Tabular(3, 2)}
    run = Exact(variant(ppo, derived=derived, metrics={}, passes=2), models, {"main": made}, 0.03)
    train(run, made, policy, groups, 200)
    assert variation(policy.distribution(), kl_optimum(reference.distribution(), reward, BETA)) < 0.02


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
    return policy.distribution()


@pytest.mark.paper("rafailov20239ck")
def test_dpo_on_all_preferences_ends_at_the_kl_optimum(small):
    policy, reference, reward = small
    pairs, weights = preferences(policy, reward)
    distribution = fit(configure(load("preference/dpo"), {"beta": BETA}), policy, reference, pairs, weights)
    assert variation(distribution, kl_optimum(reference.distribution(), reward, BETA)) < 0.005


@pytest.mark.paper("001-text:IPO")
@pytest.mark.parametrize(("certainty", "gap"), [(1.0, 5.0), (0.8, 3.0), (0.5, 0.0)])
def test_ipo_ends_at_a_finite_gap_where_dpo_does_not(certainty, gap):
    """Two answers of one token: log-ratios (2p - 1)/(2τ) apart, even where p is 1."""
    pairs, weights = [(0, 1), (1, 0)], torch.tensor([certainty, 1 - certainty])
    ends = {}
    for name in ("ipo", "dpo"):
        policy, reference = Tabular(2, 1, ends=False), Tabular(2, 1, ends=False)
        distribution = fit(load(f"preference/{name}"), policy, reference, pairs, weights, steps=300, rate=0.1)
        ends[name] = float(distribution[0].log() - distribution[1].log())
    assert ends["ipo"] == pytest.approx(gap, abs=0.02)
    if certainty == 1:
        assert ends["dpo"] > 15


# ---- games


NASH = load("online/nash_md")


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


@pytest.mark.paper("000-text:Nash-LHF")
@pytest.mark.parametrize("share", [1.0, 0.75])
def test_nash_md_ends_at_the_equilibrium_of_a_cyclic_game(share):
    """Against oneself: the Nash equilibrium of the regularised game. Against the mixture: the best response to it."""
    policy, reference = leaning(), leaning()
    pairs, columns = game(policy, CYCLE)
    made = batch(policy, pairs, train=(True, False), **columns)
    run = Exact(configure(NASH, {"tau": TAU}), {"policy": policy, "reference": reference}, {"main": made}, 0.02)
    end = best_response(reference.distribution(), share)
    assert variation(policy.distribution(), end) > 0.1
    for _ in range(300):
        run.step({"main": made}, torch.outer(policy.distribution(), mixture(policy, reference, share)).flatten())
    assert variation(policy.distribution(), end) < 0.002


def test_the_mixture_moves_the_equilibrium():
    """Against the mixture one ends elsewhere than against oneself: a constant share is not free."""
    reference = leaning().distribution()
    assert variation(best_response(reference, 1.0), best_response(reference, 0.75)) > 0.02


# ---- constraints and controllers


def in_proportion(distribution, size):
    """`size` answers, each as often as its probability says (largest remainders)."""
    counts = (distribution * size).floor()
    for i in (distribution * size - counts).argsort(descending=True)[: size - int(counts.sum())]:
        counts[i] += 1
    return [(i,) for i, n in enumerate(counts.tolist()) for _ in range(int(n))]


REWARD, PENALTY = torch.tensor([1.0, 0.4, 0.0], dtype=torch.float64), 0.3


def constrained_run(cost, steps):
    """Safe RLHF on three answers of one token, whose optimum is known in closed form."""
    safe = configure(
        load("online/safe_rlhf"), {"penalty.rate": 0.1, "penalty.decay": 0.0, "kl_weight": PENALTY, "passes": 1}
    )
    models = {role: Tabular(3, 1, ends=False) for role in ("policy", "reference", "critic", "cost_critic")}
    run = Exact(safe, models, {"main": batch(models["policy"], [(0,)], reward=REWARD, cost=cost)}, 0.05)
    for _ in range(steps):
        groups = in_proportion(models["policy"].distribution(), 60)
        run.step({"main": batch(models["policy"], groups, reward=REWARD, cost=cost)})
    return models["policy"].distribution(), run.trainer.states["penalty"]["lambda"]


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


@pytest.mark.paper("002:Safe RLHF")
def test_safe_rlhf_ends_where_the_constraint_is_met_and_no_sooner():
    """The Karush-Kuhn-Tucker point: the policy, the multiplier, and a cost of zero that the free optimum exceeds."""
    cost, reference = torch.tensor([1.0, -0.5, -1.0]), torch.full((3,), 1 / 3)
    assert float(kl_optimum(reference, REWARD, PENALTY) @ cost) > 0.5
    distribution, multiplier = constrained_run(cost, 180)
    exact = multiplier_of(reference, cost)
    assert abs(float(distribution @ cost)) < 0.03
    assert multiplier == pytest.approx(exact, abs=0.03)
    assert variation(distribution, constrained_optimum(reference, cost, exact)) < 0.02


def test_safe_rlhf_forgets_a_constraint_that_does_not_bind():
    distribution, multiplier = constrained_run(torch.tensor([-2.0, -2.0, -2.0]), 120)
    assert multiplier < 0.05
    assert variation(distribution, kl_optimum(torch.full((3,), 1 / 3), REWARD, PENALTY)) < 0.02


REWARDS = {"a": REWARD, "b": torch.tensor([0.0, 1.0, 0.2], dtype=torch.float64)}


@pytest.mark.paper("moskovitz2023slz")
def test_constrained_rlhf_ends_where_every_reward_is_at_its_threshold():
    """The Karush-Kuhn-Tucker point: π ∝ π_ref exp(Σ f_i r_i / Σ (1 - f_i)), and every mean reward is θ_i."""
    thresholds = {"a": 0.5, "b": 0.5}
    own = {f"multiplier/{n}.threshold": x for n, x in thresholds.items()}
    settings = {"components": list(thresholds), **own, "passes": 1, "rate": 0.2, "momentum": 0.0}
    method = configure(load("online/constrained_rlhf"), settings)
    critics = ("critic", *(f"{n}_critic" for n in thresholds))
    models = {role: Tabular(3, 1, ends=False) for role in ("policy", "reference", *critics)}
    columns = {f"reward_{n}": REWARDS[n] for n in thresholds}
    run = Exact(method, models, {"main": batch(models["policy"], [(0,)], **columns)}, 0.1)
    for _ in range(80):
        groups = in_proportion(models["policy"].distribution(), 50)
        run.step({"main": batch(models["policy"], groups, **columns)})
    end, shares = models["policy"].distribution(), {n: run.trainer.states[f"multiplier/{n}"]["mu"] for n in thresholds}
    f = {n: float(torch.tensor(mu).sigmoid()) for n, mu in shares.items()}
    for n, threshold in thresholds.items():
        assert float(end @ REWARDS[n]) == pytest.approx(threshold, abs=0.02)
    pull = sum(f[n] * REWARDS[n] for n in f) / sum(1 - x for x in f.values())
    assert variation(end, kl_optimum(torch.full((3,), 1 / 3), pull, 1.0)) < 0.02


@pytest.mark.paper("000:[84]")
@pytest.mark.parametrize("start", [0.05, 2.0])
def test_the_adaptive_coefficient_brings_the_kl_to_its_target(start):
    """A policy that answers a coefficient with its KL optimum: four answers, rewards 0 to 3."""
    reference, reward = torch.full((4,), 0.25), torch.arange(4.0)
    target, state = 0.4, {"weight": start}
    rows = Rows(torch.arange(8), torch.ones(8, dtype=torch.bool), 8)
    for _ in range(300):
        distribution = kl_optimum(reference, reward, state["weight"])
        kl = float((distribution * (distribution / reference).log()).sum())
        state, _ = adaptive_kl(state, torch.full((8,), kl), torch.zeros(8), rows, target=target, horizon=50.0)
    assert kl == pytest.approx(target, rel=0.01)
