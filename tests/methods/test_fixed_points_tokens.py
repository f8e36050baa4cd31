"""What methods with terms for tokens, for exploration and for unnatural answers converge to, on models by table."""

from __future__ import annotations

from math import exp

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.procedures.games.nash_mirror_prox import nash_mirror_prox
from tests.harness.enumerated import Exact, Tabular, batch, every_group, game, kl_optimum, variation
from tests.methods.test_fixed_points_online import CYCLE, best_response, fit, in_proportion, leaning, preferences

REWARD = torch.tensor([0.3, -0.5, 1.0, 0.0, 0.6, -1.0, 0.9], dtype=torch.float64)
BETA = 0.5


def tokens_of(model):
    return model.logits.detach().softmax(-1)


def bandit(*distribution):
    model = Tabular(len(distribution), 1, ends=False)
    model.logits.data = torch.tensor([distribution]).log()
    return model


# ---- SELM


def selm(policy, reference, weight):
    """Its gradient on every pair of answers, with fresh answers as often as the reference gives them."""
    made = {
        "main": batch(policy, [(0, 1), (0, 2), (1, 2)], pairs=True),
        "fresh": batch(policy, in_proportion(reference.distribution(), 100)),
    }
    method = configure(load("preference/selm"), {"beta": BETA, "exploration.weight": weight})
    made = {stream: rows for stream, rows in made.items() if stream in method.streams}
    return Exact(method, {"policy": policy, "reference": reference}, made).step(made)[0]


@pytest.mark.paper("zhang2024lqf")
@pytest.mark.parametrize("tilt", [0.0, 1.5])
def test_the_bonus_of_selm_leads_away_from_what_the_reference_says(tilt):
    """Its expected gradient is αβ (π_ref - π): nothing at the reference itself, then on along every departure."""
    distribution, bonus = (0.7, 0.28, 0.02), 0.05
    policy, reference = bandit(*distribution), bandit(*distribution)
    policy.logits.data[0, 2] += tilt
    with_, without = (selm(policy, reference, weight) for weight in (bonus, 0.0))
    extra = with_ - without
    assert extra.tolist() == pytest.approx(
        (bonus * (reference.distribution() - policy.distribution())).tolist(), abs=1e-12
    )
    assert (extra[2] < -0.001) == (tilt > 0)


# ---- TDPO


def values_under(reference, reward):
    """E_ref[r | prefix and next token], of every prefix."""
    distribution, q = reference.distribution(), torch.zeros(reference.logits.shape)
    for prefix, row in reference.place.items():
        for token in range(reference.vocabulary):
            begins = torch.tensor([a[: len(prefix) + 1] == (*prefix, token) for a in reference.answers])
            if begins.any():
                q[row, token] = (distribution * reward)[begins].sum() / distribution[begins].sum()
    return q


@pytest.mark.paper("000:[17]")
def test_tdpo1_ends_at_the_best_tokens_before_an_answer_of_the_reference():
    """π(a|s) ∝ π_ref(a|s) exp(Q_ref(s, a)/β): the policy improves on the reference as if it went on after a token."""
    policy, reference = Tabular(3, 2, seed=5), Tabular(3, 2, seed=5)
    distribution = fit(
        configure(load("preference/tdpo1"), {"beta": BETA}), policy, reference, *preferences(policy, REWARD), steps=400
    )
    best = Tabular(3, 2)
    best.logits.data = tokens_of(reference).log() + values_under(reference, REWARD) / BETA
    assert variation(distribution, best.distribution()) < 0.005
    assert (
        variation(best.distribution(), kl_optimum(reference.distribution(), REWARD, BETA)) > 0.05
    )  # DPO ends elsewhere


def root(f, low, high):
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return low


@pytest.mark.parametrize("alpha", [0.0, 0.5, 4.0])
def test_tdpo2_ends_where_preference_and_the_kl_of_the_rejected_answer_balance(alpha):
    """Two answers, p = 0.9: σ(βh) - p + α (p (1-σ) + (1-p) σ)(π_1 - π_ref,1) = 0. α = 0 is DPO's end."""
    p, q = 0.9, 0.3
    policy, reference = bandit(q, 1 - q), bandit(q, 1 - q)

    def slope(h):
        sure = 1 / (1 + exp(-BETA * h))
        first = 1 / (1 + exp(-h) * (1 - q) / q)
        return sure - p + alpha * (p * (1 - sure) + (1 - p) * sure) * (first - q)

    method = configure(load("preference/tdpo2"), {"beta": BETA, "alpha": alpha})
    distribution = fit(method, policy, reference, [(0, 1), (1, 0)], torch.tensor([p, 1 - p]), steps=400)
    gap = float(
        (distribution[0] / distribution[1]).log() - (reference.distribution()[0] / reference.distribution()[1]).log()
    )
    assert gap == pytest.approx(root(slope, -20.0, 20.0), abs=0.02)


# ---- CPL


@pytest.mark.paper("hejna2023vyy")
@pytest.mark.parametrize("gamma", [1.0, 0.7])
def test_cpl_finds_the_policy_whose_regret_the_preferences_show(gamma):
    """People prefer y with the odds of exp(α Σ γ^t log π*(y_t)): only π* itself explains all their choices."""
    policy, best = Tabular(3, 2, seed=5), Tabular(3, 2, seed=8)
    steps = [
        [best.logits.detach().log_softmax(-1)[best.place[a[:t]], a[t]] for t in range(len(a))] for a in best.answers
    ]
    scores = torch.stack([sum(gamma**t * x for t, x in enumerate(s)) for s in steps])
    assert variation(policy.distribution(), best.distribution()) > 0.2
    method = configure(load("preference/cpl"), {"beta": 0.8, "gamma": gamma, "bias": 1.0})
    distribution = fit(method, policy, Tabular(3, 2), *preferences(policy, 0.8 * scores), steps=400)
    assert variation(distribution, best.distribution()) < 0.01


def test_the_bias_of_cpl_leaves_what_nobody_compared():
    """Answers 0 and 1 of three are compared. Without the bias the third keeps its share."""
    shares = {}
    for bias in (1.0, 0.5):
        method = configure(load("preference/cpl"), {"beta": 1.0, "bias": bias})
        distribution = fit(
            method, bandit(0.3, 0.3, 0.4), bandit(0.3, 0.3, 0.4), [(0, 1), (1, 0)], torch.tensor([0.7, 0.3])
        )
        shares[bias] = float(distribution[2])
    assert shares[0.5] < 0.02
    assert shares[1.0] > 0.35


# ---- Inverse-Q*


def worth(model, rewards):
    """One reward for each token of a batch, prompt tokens included, from a table by prefix and token."""
    return lambda k, place: [
        0.0,
        *(float(rewards[model.place[a[:t]], a[t]]) for a in [model.answers[k]] for t in range(len(a))),
    ]


@pytest.mark.paper("xia2024rab")
@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_inverse_q_ends_at_the_estimate_tempered_at_every_token(beta):
    """On its own answers: π ∝ π_ref exp(ρ/β) at every token, which for β = 1 is π̂* itself."""
    policy, reference, best = Tabular(3, 2, seed=5), Tabular(3, 2, seed=5), Tabular(3, 2, seed=8)
    rewards = tokens_of(best).log() - tokens_of(reference).log()
    made = batch(policy, every_group(policy, 1), token_reward=worth(policy, rewards))
    method = configure(load("imitation/inverse_q"), {"beta": beta})
    run = Exact(method, {"policy": policy, "reference": reference}, {"main": made}, 0.05)
    for _ in range(300):
        run.step({"main": made}, policy.distribution())
    end = Tabular(3, 2)
    end.logits.data = tokens_of(reference).log() + rewards / beta
    assert variation(policy.distribution(), end.distribution()) < 0.005
    assert (variation(policy.distribution(), best.distribution()) < 0.005) == (beta == 1)


def test_inverse_q_finds_the_estimate_on_answers_of_anybody():
    policy, reference, best = Tabular(3, 2, seed=5), Tabular(3, 2, seed=5), Tabular(3, 2, seed=8)
    rewards = tokens_of(best).log() - tokens_of(reference).log()
    made = batch(policy, every_group(policy, 1), token_reward=worth(policy, rewards))
    run = Exact(load("imitation/inverse_q"), {"policy": policy, "reference": reference}, {"main": made}, 0.05)
    for _ in range(300):
        run.step({"main": made}, Tabular(3, 2, seed=11).distribution())
    assert variation(policy.distribution(), best.distribution()) < 0.005


# ---- conditional PM-RLHF


def test_conditional_pm_rlhf_matches_preferences_among_natural_answers_only():
    """Of four answers two are natural. The others end at π_ref exp((r - λ - β)/β), the natural at ε exp(r - λ - 1)."""
    ref, reward, kl_weight, log_epsilon = (
        torch.tensor([0.5, 0.44, 0.04, 0.02]),
        torch.tensor([0.2, 1.0, 0.5, 1.5]),
        0.5,
        0.3,
    )
    settings = {"natural": 1.0, "kl_weight": kl_weight, "log_epsilon": log_epsilon}
    policy, reference = bandit(*ref.tolist()), bandit(*ref.tolist())
    groups = every_group(policy, 2)
    made = batch(policy, groups, reward=reward)
    method = configure(load("online/conditional_pm_rlhf"), settings)
    run = Exact(method, {"policy": policy, "reference": reference}, {"main": made}, 0.05)
    for _ in range(250):
        run.step({"main": made}, policy.distribution()[torch.tensor(groups)].prod(1))

    def logits_at(price):
        matched = (log_epsilon + reward - price - 1).exp()
        held = ref * ((reward - price - kl_weight) / kl_weight).exp()
        return torch.where(torch.tensor([True, True, False, False]), matched, held)

    distribution = policy.distribution()
    assert variation(distribution, logits_at(root(lambda x: 1 - float(logits_at(x).sum()), -9.0, 9.0))) < 0.005
    assert float(distribution[0] / distribution[1]) == pytest.approx(float((reward[0] - reward[1]).exp()), abs=0.01)


# ---- Nash Mirror Prox


class OnTables:
    """A session whose models are tables, and whose stages take expected gradients on a game."""

    def __init__(self, policy, wins, steps):
        self.models, self.wins, self.steps = {"policy": policy}, wins, steps
        self.ends = []

    def copy(self, source, target):
        twin = Tabular(3, 1, ends=False)
        twin.logits.data = self.models[source].logits.detach().clone()
        self.models[target] = twin

    def train(self, method, _, settings):
        policy, opponent = self.models["policy"], self.models["opponent"]
        pairs, columns = game(policy, self.wins)
        made = {"main": batch(policy, pairs, train=(True, False), **columns)}
        run = Exact(configure(method, settings), self.models, made, 0.02)
        for _ in range(self.steps):
            run.step(made, torch.outer(policy.distribution(), opponent.distribution()).flatten())
        self.ends.append(policy.distribution())
        return {}


def test_a_proximal_step_ends_at_its_closed_form():
    """π ∝ (π_ref^β π_k^(1/η) exp P(y ≻ π'))^(1/(β + 1/η)), first against π_k = π_ref, then against where that led."""
    beta, eta = 0.1, 2.0
    session = OnTables(leaning(), CYCLE, steps=150)
    nash_mirror_prox(session, None, rounds=1, beta=beta, eta=eta)
    reference, against = leaning().distribution(), leaning().distribution()
    for end in session.ends:
        against = (reference.log() + CYCLE @ against / (beta + 1 / eta)).softmax(-1)
        assert variation(end, against) < 0.002


class InClosedForm(OnTables):
    """The same, with every stage at its end at once."""

    def train(self, _, __, settings):
        tau, share = settings["win_minus_kl.tau"], settings["between.share"]
        distribution = {role: model.distribution() for role, model in self.models.items()}
        held = (1 - share) * distribution["reference"].log() + share * distribution["round"].log()
        self.models["policy"].logits.data = (held + self.wins @ distribution["opponent"] / tau).log_softmax(-1)[None]
        self.ends.append(self.models["policy"].distribution())
        return {}


@pytest.mark.paper("tiapkin202538o")
def test_nash_mirror_prox_ends_at_the_equilibrium_of_a_cyclic_game():
    """Each round brings it nearer by at least 1/(1 + ηβ) in KL; constant steps leave no bias."""
    beta, eta = 0.2, 2.0
    session = InClosedForm(leaning(), CYCLE, steps=0)
    nash_mirror_prox(session, None, rounds=40, beta=beta, eta=eta)
    end = best_response(leaning().distribution(), 1.0)  # its τ is 0.2 as well
    away = [
        float((end * (end / distribution).log()).sum())
        for distribution in (leaning().distribution(), *session.ends[1::2])
    ]
    assert all(b < a / (1 + eta * beta) + 1e-12 for a, b in zip(away, away[1:], strict=False))
    assert variation(session.models["policy"].distribution(), end) < 1e-5
