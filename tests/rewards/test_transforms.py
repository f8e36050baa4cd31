"""The transforms of rewards and the ways to combine them: golden numbers, identities, invariances; mutants die."""

from __future__ import annotations

import math
import sys

import pytest

from posttrain.rewards.shaping.transform import function_of, shipped
from tests.harness.mutants import Formula, cases_of, survivors

T = {name: function_of("transform", name) for name in shipped("transform")}
C = {name: function_of("combine", name) for name in shipped("combine")}
BASELINE = [1.0, 2.0, 4.0]  # mean 7/3, median 2
near = pytest.approx


def σ(x):
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize(
    ("name", "seen", "settings", "expected"),
    [
        ("clip", (3.0,), {}, 1.0),
        ("clip", (-3.0,), {"low": -2.0}, -2.0),
        ("clip", (0.3,), {}, 0.3),
        ("scale", (5.0,), {"subtract": 1.0, "divide": 2.0}, 2.0),
        ("sigmoid", (2.0,), {}, 0.8807970779778823),
        ("sigmoid", (-2.0,), {}, 0.11920292202211755),
        ("sigmoid", (3.0,), {"centre": 1.0, "slope": 0.5}, σ(1.0)),
        ("sigmoid", (-1e3,), {}, 0.0),
        ("sigmoid", (1e3,), {}, 1.0),
        ("log_sigmoid", (0.0,), {}, -0.6931471805599453),
        ("log_sigmoid", (-3.0,), {}, -3.048587351573742),
        ("log_sigmoid", (3.0,), {}, -0.048587351573742),
        ("log_sigmoid", (3.0,), {"centre": 1.0}, math.log(σ(2.0))),
        ("log_sigmoid", (-1e3,), {}, -1e3),
        ("contrastive", (3.0, BASELINE), {}, 3 - 7 / 3),
        ("contrastive", (3.0, BASELINE), {"quantile": 0.5}, 1.0),
        ("contrastive", (3.0, BASELINE), {"quantile": 0.75}, 0.0),  # between 2 and 4
        ("contrastive", (3.0, BASELINE), {"quantile": 1.0}, -1.0),
        ("contrastive", (3.0, [2.0]), {}, 1.0),
        ("preference", (3.0, BASELINE), {}, (σ(2) + σ(1) + σ(-1)) / 3),
        ("centre", ([1.0, 2.0, 6.0],), {}, [-2.0, -1.0, 3.0]),
        ("whiten", ([1.0, 3.0],), {"eps": 1e-12}, [-1.0, 1.0]),
        ("whiten", ([1.0, 3.0],), {"eps": 1.0}, [-0.5, 0.5]),
        ("whiten", ([2.0, 2.0],), {}, [0.0, 0.0]),
        ("length_penalty", (1.0, 14), {"per_token": 0.1, "free": 10}, 0.6),
        ("length_penalty", (1.0, 14), {"per_token": -0.01}, 1.14),  # Starling's constant
        ("unended", (0.7, True), {"penalty": 2.0}, 0.7),
        ("unended", (0.7, False), {"penalty": 2.0}, -1.3),
        ("unended", (0.7, False), {"instead": -3.0}, -3.0),
        ("unended", (0.7, True), {"instead": -3.0}, 0.7),
        ("length_regression", ([1.0, 4.0, 4.0], [10, 20, 30]), {}, [2.5, 4.0, 2.5]),  # a slope of 0.15 a token
        ("length_regression", ([1.0, 4.0, 4.0], [10, 20, 30]), {"share": 0.5}, [1.75, 4.0, 3.25]),
        ("length_regression", ([1.0, 2.0], [7, 7]), {}, [1.0, 2.0]),
        ("length_regression", ([5.0, 1.0], [7, 9]), {}, [3.0, 3.0]),
        ("min_max", ([1.0, 2.0, 5.0],), {}, [0.0, 0.25, 1.0]),
        ("min_max", ([2.0, 2.0],), {}, [0.5, 0.5]),
        ("length_penalty", (1.0, 9), {"per_token": 0.1, "free": 10}, 1.0),
        ("simulated_rating", (0.3, "a"), {}, 0.3),
        ("simulated_rating", (1.7, "a"), {}, 1.0),
        ("simulated_rating", (-1.0, "a"), {}, 0.0),
        ("simulated_rating", (0.3, "a"), {"skew": 2.0}, 0.09),
        ("simulated_rating", (0.3, "a"), {"levels": 5}, 0.4),  # 1.5 is rounded up
        ("simulated_rating", (0.49, "a"), {"levels": 1}, 0.0),
        ("simulated_rating", (0.5, "a"), {"levels": 1}, 1.0),
    ],
)  # fmt: skip
def test_value_of_a_transform(name, seen, settings, expected):
    assert T[name](*seen, **settings) == near(expected, abs=1e-9)


def test_value_of_the_running_statistics_is_that_of_all_scores_so_far():
    state, first = T["running_whiten"](None, [1.0, 3.0], eps=1e-12)
    assert (state, first) == ([2, 2.0, 2.0], near([-1.0, 1.0]))
    state, second = T["running_whiten"](state, [8.0], eps=1e-12)  # of 1, 3, 8: mean 4, variance 26/3
    assert state == near([3, 4.0, 26.0])
    assert second == near([4 / math.sqrt(26 / 3)])
    state, third = T["running_whiten"](state, [4.0, 9.0], centred=False, eps=1.0)
    assert state == near([5, 5.0, 46.0])
    assert third == near([4 / (math.sqrt(9.2) + 1), 9 / (math.sqrt(9.2) + 1)])


TWO = {"a": 0.0, "b": 0.0}
APART = {"a": 3.0, "b": -3.0}
THREE = {"a": 1.0, "b": 2.0, "c": 6.0}  # mean 3, variance 14/3


@pytest.mark.parametrize(
    ("name", "seen", "settings", "expected"),
    [
        ("weighted_sum", (THREE,), {}, THREE),
        ("mean", (THREE,), {}, 3.0),
        ("worst", (THREE,), {}, 1.0),
        ("uncertainty_weighted", (THREE,), {"strength": 0.5}, 3 - 7 / 3),
        ("uncertainty_weighted", (THREE,), {"strength": 0.0}, 3.0),
        ("first", ({"b": 2.0, "a": 1.0},), {}, {"b": 2.0}),
        ("gate", ({"h": 5.0, "x": 0.2}, {"h": 0.6, "x": 0.2}), {"by": "h", "above": 0.6}, {"h": 5.0, "x": 0.2}),
        ("gate", ({"h": 5.0, "x": 0.2}, {"h": 0.59, "x": 0.7}), {"by": "h", "above": 0.6}, {"h": 5.0}),
        ("gate", ({"x": 0.2}, {"x": 0.2}), {"by": "h"}, {}),
    ],
)  # fmt: skip
def test_value_of_a_combination(name, seen, settings, expected):
    assert C[name](*seen, **settings) == (expected if isinstance(expected, dict) else near(expected))


@pytest.mark.paper("singhal2023egk")
def test_what_the_length_explains_is_gone_and_the_rest_stays():
    lengths, quality = [3, 8, 1, 20, 11], [0.5, -1.0, 0.25, 2.0, -0.5]
    f = T["length_regression"]
    plain, long = f(quality, lengths), f([q + 0.7 * n for q, n in zip(quality, lengths, strict=True)], lengths)
    middle, whole = sum(lengths) / 5, 0.7 * sum(lengths) / 5
    assert long == near([x + whole for x in plain])
    assert sum(x * (n - middle) for x, n in zip(plain, lengths, strict=True)) == near(0, abs=1e-12)
    assert f(plain, lengths) == near(plain)


@pytest.mark.paper("000:[54]")
def test_the_sum_of_log_sigmoids_wants_all_properties_where_the_plain_sum_does_not_care():
    f = T["log_sigmoid"]
    assert sum(f(x) for x in TWO.values()) == near(-1.3862943611)
    assert sum(f(x) for x in APART.values()) == near(-3.0971747031)
    assert sum(TWO.values()) == sum(APART.values())
    assert sum(f(x) for x in APART.values()) == near(math.log(math.prod(σ(x) for x in APART.values())))


@pytest.mark.paper("fu2025hl3", "000:[54]")
def test_par_and_the_log_sigmoid_are_monotone_and_bounded_and_flat_at_the_top():
    xs = [x / 4 for x in range(-40, 41)]
    for f, top in ((lambda x: T["preference"](x, BASELINE), 1.0), (T["log_sigmoid"], 0.0)):
        ys = [f(x) for x in xs]
        assert ys == sorted(ys)
        assert len(set(ys)) == len(ys)
        assert all(y < top for y in ys)
        assert ys[-1] - ys[-2] < 2e-3 < 0.02 < ys[41] - ys[40]
    assert min(T["preference"](x, BASELINE) for x in xs) > 0


@pytest.mark.paper("fu2025hl3")
def test_par_with_one_baseline_is_the_sigmoid_of_the_contrastive_reward():
    assert T["preference"](3.0, [1.5]) == T["sigmoid"](T["contrastive"](3.0, [1.5]))


@pytest.mark.paper("000:[53]")
@pytest.mark.parametrize("name", ["contrastive", "preference"])
def test_what_all_answers_to_a_prompt_share_is_gone(name):
    assert T[name](3.0 + 7, [b + 7 for b in BASELINE]) == near(T[name](3.0, BASELINE))


@pytest.mark.paper("000-text:Bandit NMT")
@pytest.mark.parametrize(("score", "deviation"), [(0.3, 0.192), (0.8, 0.134), (0.0, 0.0), (1.0, 0.0)])
def test_value_of_noise_has_the_spread_that_people_have(score, deviation):
    drawn = [T["simulated_rating"](score, f"text {i}", variance=0.5) for i in range(400)]
    assert math.fsum(drawn) / 400 == near(score, abs=0.012)
    assert math.sqrt(math.fsum((x - score) ** 2 for x in drawn) / 400) == near(deviation / 2, rel=0.1, abs=1e-9)
    assert drawn == [T["simulated_rating"](score, f"text {i}", variance=0.5) for i in range(400)]
    assert score in (0.0, 1.0) or drawn != [
        T["simulated_rating"](score, f"text {i}", variance=0.5, seed=1) for i in range(400)
    ]


@pytest.mark.parametrize("name", ["centre", "whiten"])
def test_relative_scores_do_not_depend_on_the_zero_and_keep_the_order(name):
    scores = [0.5, -1.0, 4.0]
    made = T[name](scores)
    assert T[name]([x + 9 for x in scores]) == near(made)
    assert sorted(range(3), key=made.__getitem__) == sorted(range(3), key=scores.__getitem__)
    assert sum(made) == near(0, abs=1e-9)


def test_ensembles_of_one_and_the_order_of_the_aggregations():
    for name in ("mean", "worst", "uncertainty_weighted"):
        assert C[name]({"a": 2.5}) == 2.5
        assert C[name](THREE) <= C["mean"](THREE)
        assert C[name](dict(reversed(THREE.items()))) == C[name](THREE)


def test_the_gate_never_makes_a_good_answer_worth_less_than_one_below_the_threshold():
    totals = [
        sum(C["gate"]({"h": 3 * z, "x": T["sigmoid"](aspect)}, {"h": z, "x": 0.0}, by="h", above=0.5).values())
        for z, aspect in ((-1.0, 9.0), (0.49, 9.0), (0.5, -9.0), (0.6, 0.0))
    ]
    assert totals == sorted(totals)
    assert C["gate"](THREE, THREE, by="a", above=-math.inf) == THREE
    assert C["gate"](THREE, THREE, by="a", above=math.inf) == {"a": 1.0}


@pytest.mark.paper("shen2025pyh")
def test_the_first_that_does_not_abstain_decides():
    """A verifier's zero is a verdict; what abstained is not among the scores."""
    assert C["first"]({"verified": 0.0, "judged": 0.9}) == {"verified": 0.0}
    assert C["first"]({"judged": 0.9}) == {"judged": 0.9}


# Mutants that do the same thing.
EQUIVALENT = {
    "clip": {"drop -: -1.0"},  # a default, which the function keeps
    "sigmoid": {"turn: x > 0"},  # two forms of one function; the values are of both ends
    "weighted_sum": {"negate: return scores"},
    "whiten": {"swap: score - mean"},
    "length_regression": {"swap: length - middle"},  # a product of two
    "running_whiten": {"swap: score - own", "swap: own - mean"},  # squared
    "simulated_rating": {  # the noise is symmetric
        "+ to -: rating + drawn * variance * min(0.64 * rating, 0.67 * (1 - rating))",
        "+ to -: seed_for(seed, 'rating', text) % 2 ** 53 + 0.5",
    },
    "uncertainty_weighted": {"swap: score - mean"},  # squared
}


@pytest.mark.parametrize("name", [*T, *C])
def test_a_broken_formula_is_noticed(name):
    found = survivors((T | C)[name], Formula, cases_of(sys.modules[__name__], "test_value"))
    assert found <= EQUIVALENT.get(name, set())
