"""What the losses of preferences, of lists and of scored answers converge to, on a model that can be enumerated."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.enumerated import Exact, Tabular, batch, every_group, kl_optimum, variation
from tests.methods.test_fixed_points_online import fit, in_proportion, preferences

BETA = 0.5
REWARD = torch.tensor([0.3, -0.5, 1.0, 0.0, 0.6, -1.0, 0.9])
EVEN = torch.ones(1)


@pytest.fixture
def small():
    """Seven answers of one or two tokens, and a reference."""
    return Tabular(3, 2, seed=5), Tabular(3, 2, seed=5)


@pytest.fixture
def best(small):
    return kl_optimum(small[1].distribution(), REWARD.to(torch.float64), BETA)


def train(method, models, made, steps, rate=0.05, weights=None):
    run = Exact(method, models, {"main": made}, rate)
    for _ in range(steps):
        run.step({"main": made}, weights)
    return models["policy"].distribution()


@pytest.mark.paper("002:Nemotron-4 340B / RPO")
@pytest.mark.parametrize(
    ("path", "settings"),
    [
        ("preference/rpo", {"distance": "backward", "beta": BETA}),
        ("preference/rpo", {"distance": "forward", "beta": BETA}),
        ("preference/rpo", {"distance": "squared", "beta": BETA}),
        ("preference/dno", {"eta": BETA}),
    ],
)
def test_a_gap_that_is_matched_ends_at_the_kl_optimum(small, best, path, settings):
    """From every pair equally often, in whatever order: no preference is needed."""
    policy, reference = small
    made = batch(policy, [p for p in every_group(policy, 2) if p[0] < p[1]], pairs=True, reward=REWARD)
    assert variation(policy.distribution(), best) > 0.3
    distribution = train(configure(load(path), settings), {"policy": policy, "reference": reference}, made, 250)
    assert variation(distribution, best) < 0.01


@pytest.mark.paper("000:[18]")
def test_exo_on_all_answers_ends_at_the_kl_optimum(small, best):
    policy, reference = small
    made = batch(policy, [tuple(range(7))], reward=REWARD)
    method = configure(load("preference/exo_list"), {"beta": BETA, "reward_scale": 1.0})
    assert variation(train(method, {"policy": policy, "reference": reference}, made, 200), best) < 0.01


def test_exo_chooses_one_mode_where_the_forward_kl_covers_both():
    """A distribution of two peaks over 21 answers that the policy, one tilt along a line, cannot have."""
    x = torch.linspace(-1, 1, 21)
    target = (-((x.abs() - 0.7) ** 2) / 0.005).softmax(0)
    ends = {}
    for name in ("reverse", "forward"):
        place = torch.tensor(0.1, requires_grad=True)
        optimiser = torch.optim.Adam([place], lr=0.02)
        for _ in range(400):
            log_q = (-((x - place) ** 2) / 0.02).log_softmax(0)
            kl = (log_q.exp() * (log_q - target.log())).sum() if name == "reverse" else -(target * log_q).sum()
            optimiser.zero_grad()
            kl.backward()
            optimiser.step()
        ends[name] = float(place.detach())
    assert abs(ends["reverse"]) == pytest.approx(0.7, abs=0.05)
    assert ends["forward"] == pytest.approx(0, abs=0.05)


def test_rankings_of_dpo_end_at_the_kl_optimum(small, best):
    """Every order of three answers, as often as Plackett and Luce say."""
    policy, reference = small
    lists = list(itertools.permutations(range(7), 3))
    weights = []
    for order in lists:
        worth = REWARD[list(order)].to(torch.float64)
        weights.append(torch.stack([worth[k] - worth[k:].logsumexp(0) for k in range(3)]).sum().exp())
    made = batch(policy, lists, rank=lambda _, place: place)
    distribution = train(
        configure(load("preference/dpo_list"), {"beta": BETA}),
        {"policy": policy, "reference": reference},
        made,
        150,
        weights=torch.stack(weights) / sum(weights),
    )
    assert variation(distribution, best) < 0.01


@pytest.mark.parametrize(
    ("divergence", "slope"),
    [
        ("forward_kl", lambda u: 1 - 1 / u),
        ("jensen_shannon", lambda u: (2 * u / (1 + u)).log()),
        ("alpha", lambda u: 2 - 2 * u**-0.5),
    ],
)
def test_f_dpo_ends_where_its_divergence_balances_the_reward(small, divergence, slope):
    """β f'(π/π_ref) = r + const: the stationarity of E[r] - β D_f."""
    policy, reference = small
    pairs, weights = preferences(policy, REWARD.to(torch.float64))
    method = configure(load("preference/f_dpo"), {"divergence": divergence, "beta": 1.0})
    distribution = fit(method, policy, reference, pairs, weights, steps=300)
    excess = slope(distribution / reference.distribution()) - REWARD
    assert float(excess.std()) < 0.02


def test_robust_dpo_sees_through_wrong_labels(small, best):
    """A fifth of the labels is flipped. DPO ends nearer to the reference, robust DPO where clean labels lead."""
    policy, reference = small
    pairs, clean = preferences(policy, REWARD.to(torch.float64))
    noisy = 0.8 * clean + 0.2 * torch.stack([clean[pairs.index((j, i))] for i, j in pairs])
    ends = {}
    for path, settings in (("preference/robust_dpo", {"smoothing": 0.2}), ("preference/dpo", {})):
        start = Tabular(3, 2, seed=5)
        ends[path] = fit(configure(load(path), {"beta": BETA, **settings}), start, reference, pairs, noisy)
    assert variation(ends["preference/robust_dpo"], best) < 0.01
    assert variation(ends["preference/dpo"], best) > 0.1


def test_aot_lifts_the_law_of_the_gaps_and_dpo_every_gap_by_itself():
    """Two pairs that the reference holds 1 and -1 apart and the start -2 and 2. With a fifth of the labels wrong each
    gap, or each quantile of the gaps, rests log 4 higher than the reference's."""
    ends = {}
    for path in ("preference/aot", "preference/dpo"):
        policy, reference = (bandit(*torch.tensor([a, 0.0, b, 0.0]).softmax(0)) for a, b in ((-2.0, 2.0), (1.0, -1.0)))
        method = configure(load(path), {"beta": 1.0, "smoothing": 0.2})
        distribution = fit(method, policy, reference, [(0, 1), (2, 3)], None, steps=150)
        ends[path] = (distribution[::2] / distribution[1::2]).log().tolist()
    assert ends["preference/aot"] == pytest.approx([-1 + math.log(4), 1 + math.log(4)], abs=0.01)
    assert ends["preference/dpo"] == pytest.approx([1 + math.log(4), -1 + math.log(4)], abs=0.01)


@pytest.mark.parametrize(("start", "least", "most"), [(0.0, -2.38, -2.36), (1.3, -2.38, -2.36), (1.6, 5.0, math.inf)])
def test_discopop_rests_in_the_wrong_order_unless_something_carries_the_pair_over(start, least, most):
    """From the reference itself, too: the stretch in which the loss rises ends at a gap of 1.44."""
    policy, reference = bandit(*torch.tensor([start, 0.0]).softmax(0)), bandit(0.5, 0.5)
    distribution = fit(load("preference/discopop"), policy, reference, [(0, 1)], None, steps=300)
    assert least < float((distribution[0] / distribution[1]).log()) < most


@pytest.mark.paper("000:[8]", "000-text:last-mile fine-tuning")
def test_dro_ends_at_the_kl_optimum_and_its_value_from_answers_of_anybody(small, best):
    policy, reference = small
    made = batch(policy, every_group(policy, 1), reward=REWARD)
    critic = Tabular(3, 2)
    models = {"policy": policy, "reference": reference, "critic": critic}
    distribution = train(configure(load("offline/dro"), {"tau": BETA}), models, made, 400, rate=0.03)
    assert variation(distribution, best) < 0.01
    exact = BETA * float((reference.distribution() * (REWARD / BETA).exp()).sum().log())
    assert float(critic.values[0].detach()) == pytest.approx(exact, abs=0.01)


@pytest.mark.paper("du2025zfp")
def test_var_on_all_answers_ends_at_the_kl_optimum(small, best):
    policy, reference = small
    made = batch(policy, [tuple(range(7))], reward=REWARD)
    method = configure(load("imitation/var"), {"temperature": BETA})
    assert variation(train(method, {"policy": policy, "reference": reference}, made, 200), best) < 0.01


def play(policy, reference, first_wins, steps=200, **settings):
    """SPAC on comparisons of the first two answers, of ten `first_wins` won by the first, against samples of π_t."""
    pairs = batch(policy, [(0, 1)] * first_wins + [(1, 0)] * (10 - first_wins), pairs=True)
    own = batch(policy, in_proportion(reference.distribution(), 100))
    arrives = {"main": pairs, "fresh": own}
    weights = {"beta": 1.0, "own.weight": 1.0, "data.weight": 1.0}
    models = {"policy": policy, "reference": reference}
    run = Exact(configure(load("preference/spac"), weights | settings), models, arrives, 0.05)
    for _ in range(steps):
        run.step(arrives)
    return policy.distribution()


def bandit(*distribution):
    model = Tabular(len(distribution), 1, ends=False)
    model.logits.data = torch.tensor([distribution]).log()
    return model


@pytest.mark.parametrize(("trust", "end"), [(1.0, 0.9), (2.0, 0.8), (1000.0, 0.7)])
def test_a_round_of_spac_ends_where_the_critic_can_do_no_more(trust, end):
    """π/π_t of two answers ends at the odds of p + (p - π_t)/λ; with λ → ∞ at p, as DPO's."""
    distribution = play(bandit(0.5, 0.5), bandit(0.5, 0.5), 7, **{"preference.weight": trust})
    assert float(distribution[0]) == pytest.approx(end, abs=0.005)


def test_the_rounds_of_spac_end_where_the_policy_is_as_good_as_the_data():
    """Nothing moves once p + (p - π)/λ = 1/2: at π = p + λ (p - 1/2), from either side."""
    policy = bandit(0.9, 0.1)
    for _ in range(6):
        distribution = play(policy, bandit(*policy.distribution()), 6)
    assert float(distribution[0]) == pytest.approx(0.7, abs=0.01)


def test_spac_leaves_what_nobody_compared_and_dpo_does_not():
    distribution = play(bandit(0.3, 0.3, 0.4), bandit(0.3, 0.3, 0.4), 7)
    policy, reference = bandit(0.3, 0.3, 0.4), bandit(0.3, 0.3, 0.4)
    dpo = configure(load("preference/dpo"), {"beta": 1.0})
    dpo_law = fit(dpo, policy, reference, [(0, 1), (1, 0)], torch.tensor([0.7, 0.3]))
    assert float(distribution[2]) < 0.02
    assert float(dpo_law[2]) > 0.35


@pytest.mark.paper("zhang2024b6u")
def test_bfpo_orders_by_safety_first():
    """Answers 0 and 1 are safe, 0 and 3 helpful; every pair names the more helpful one as preferred."""
    policy, reference = Tabular(4, 1, ends=False), Tabular(4, 1, ends=False)
    pairs = [(i, j) for i in (0, 3) for j in (1, 2)]
    made = batch(policy, pairs, pairs=True, safe=torch.tensor([1.0, 1.0, 0.0, 0.0]))
    models = {"policy": policy, "reference": reference}
    distribution = train(configure(load("preference/bfpo"), {"tau": 0.5}), models, made, 300)
    assert distribution.argsort(descending=True).tolist() == [0, 1, 2, 3]


# ---- answers of the policy's own


def on_policy(method, policy, models, reward, steps, size=60, rate=0.05):
    """One group of answers in proportion to the policy's distribution."""
    run = None
    for _ in range(steps):
        group = tuple(i for (i,) in in_proportion(policy.distribution(), size))
        made = batch(policy, [group], reward=reward)
        run = run or Exact(method, models, {"main": made}, rate)
        run.step({"main": made})
    return policy.distribution()


@pytest.mark.paper("xiao2024ro4")
def test_pm_rlhf_prefers_as_people_do_where_the_kl_makes_a_majority_nearly_all():
    """Two answers, of which 60 percent prefer the first."""
    reward = torch.tensor([0.6, 0.4]).log()
    ends = {}
    for path, settings in (("online/pm_rlhf", {}), ("online/rloo", {"kl_weight": 0.1})):
        policy, reference = Tabular(2, 1, ends=False), Tabular(2, 1, ends=False)
        method = configure(load(path), settings)
        models = {"policy": policy, "reference": reference}
        ends[path] = float(on_policy(method, policy, models, reward, 150, size=200)[0])
    assert ends["online/pm_rlhf"] == pytest.approx(0.6, abs=0.01)
    assert ends["online/rloo"] == pytest.approx(0.983, abs=0.01)


@pytest.mark.paper("000:[29]", "000:[63]")
@pytest.mark.parametrize(
    ("path", "settings"),
    [("online/dpg", {}), *(("online/f_dpg", {"divergence": d}) for d in ("reverse_kl", "jensen_shannon"))],
)
def test_matching_ends_at_the_target(path, settings):
    policy, reference = Tabular(3, 1, ends=False), Tabular(3, 1, ends=False)
    reward = torch.tensor([1.0, 0.4, 0.0])
    method = configure(load(path), {"beta": BETA, **settings})
    distribution = on_policy(method, policy, {"policy": policy, "reference": reference}, reward, 120, size=200)
    assert variation(distribution, kl_optimum(reference.distribution(), reward, BETA)) < 0.02


@pytest.mark.paper("000:[31]")
def test_the_bonus_of_xpo_leads_away_from_the_reference():
    """Its expected gradient is α (π_ref - π): nothing at the reference itself, then on along every departure."""
    distribution, tilt, bonus = torch.tensor([[0.7, 0.28, 0.02]]), torch.tensor([[0.0, 0.0, 1.5]]), 0.05
    for tilted in (0.0, 1.0):
        gradients = []
        for weight in (0.0, bonus):
            policy, reference = Tabular(3, 1, ends=False), Tabular(3, 1, ends=False)
            reference.logits.data = distribution.log()
            policy.logits.data = distribution.log() + tilted * tilt
            groups = every_group(policy, 2)
            made = batch(policy, groups, train=(True, True), reward=torch.tensor([0.0, 0.5, 1.0]))
            made = made.add({"author": torch.tensor([0, 1] * len(groups))}, {"author": "B"})
            method = configure(load("online/xpo"), {"exploration.weight": weight})
            run = Exact(method, {"policy": policy, "reference": reference}, {"main": made})
            gradients.append(
                run.step({"main": made}, torch.outer(policy.distribution(), reference.distribution()).flatten())
            )
        extra = (gradients[1] - gradients[0])[0]
        assert extra.tolist() == pytest.approx(
            (bonus * (reference.distribution() - policy.distribution())).tolist(), abs=1e-12
        )
    assert extra[2] < 0
