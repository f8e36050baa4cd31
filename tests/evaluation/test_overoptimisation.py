"""The law of over-optimisation: what was planted is found, where its best point lies, and how sure one is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from posttrain.evaluation.overoptimisation import FittedLaw, fit, kl_of_best_of_n, length_slope

KL = [0.01, 0.3, 1.0, 2.0, 5.0, 9.0, 16.0]


def law(alpha, beta, kind="training"):
    return FittedLaw(alpha, beta, (0, 0), (0, 0), kind)


def test_the_formulas():
    """R(4): d = 2; 2 (1.5 - 0.5 log 2) and 2 (1.5 - 0.5 * 2)."""
    assert law(1.5, 0.5).at(4.0) == pytest.approx(2 * (1.5 - 0.5 * math.log(2)))
    assert law(1.5, 0.5, "best_of_n").at(4.0) == pytest.approx(1.0)
    assert law(1.5, 0.5).at(0.0) == 0.0


@pytest.mark.paper("rafailov2024ohd")
@pytest.mark.parametrize("kind", ["training", "best_of_n"])
@pytest.mark.parametrize(("alpha", "beta"), [(1.5, 0.5), (0.4, 0.3), (0.8, -0.1)])
def test_planted_coefficients_are_found(kind, alpha, beta):
    true = law(alpha, beta, kind)
    found = fit([[(k, true.at(k)) for k in KL], [(k + 0.1, true.at(k + 0.1)) for k in KL]], kind)
    assert (found.alpha, found.beta) == pytest.approx((alpha, beta), abs=1e-9)
    assert found.alpha_interval == pytest.approx((alpha, alpha), abs=1e-6)


@pytest.mark.paper("rafailov2024ohd")
@pytest.mark.parametrize("kind", ["training", "best_of_n"])
def test_nothing_earns_more_than_the_best_point(kind):
    true = law(1.5, 0.5, kind)
    best = true.at(true.best_kl)
    assert all(true.at(true.best_kl * factor) < best for factor in (0.5, 0.9, 1.1, 2.0))
    assert law(1.0, -0.1, kind).best_kl == math.inf


@pytest.mark.paper("rafailov2024ohd")
def test_the_best_points_in_closed_form():
    """log d = α/β - 1 gives d = e²; d = α/(2β) gives d = 1.5."""
    assert law(1.5, 0.5).best_kl == pytest.approx(math.exp(4))
    assert law(1.5, 0.5, "best_of_n").best_kl == pytest.approx(2.25)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Every seed has a coefficient of its own, as worlds differ; 6 seeds of 7 points each."""
    generator, covered = np.random.default_rng(1), 0
    for _ in range(400):
        curves = []
        for _ in range(6):
            own = law(1.5 + 0.2 * generator.standard_normal(), 0.5)
            curves.append([(k, own.at(k) + 0.02 * generator.standard_normal()) for k in KL])
        low, high = fit(curves).alpha_interval
        covered += low <= 1.5 <= high
    assert covered / 400 == pytest.approx(0.95, abs=0.03)


def test_one_seed_gives_no_interval_and_one_point_no_law():
    assert fit([[(k, k) for k in KL]]).beta_interval == (-math.inf, math.inf)
    with pytest.raises(ValueError, match="two points"):
        fit([[(0.0, 0.0), (1.0, 1.0)]])


@pytest.mark.parametrize("n", [2, 4, 16])
def test_the_kl_of_best_of_n_is_that_of_its_density(n):
    """The density of the best quantile is n F^(n-1): KL = E[log n + (n - 1) log F]."""
    f = (np.arange(200_000) + 0.5) / 200_000
    density = n * f ** (n - 1)
    assert kl_of_best_of_n(n) == pytest.approx(float(np.mean(density * np.log(density))), abs=1e-5)


@pytest.mark.paper("singhal2023egk")
def test_the_slope_of_length():
    assert length_slope([1.0, 2.0, 3.0], [10, 20, 30]) == pytest.approx(0.1)
    assert length_slope([1.0, 2.0], [5, 5]) == 0.0
    assert length_slope([3.0, 2.0, 1.5], [10, 20, 30]) == pytest.approx(-0.075)
