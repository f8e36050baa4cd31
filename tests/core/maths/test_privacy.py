"""The accountant: Opacus's numbers at whole orders, and what must hold of any of them."""

import math

import pytest

from posttrain.core.maths.privacy import ORDERS, epsilon, noise_for, rdp

pytestmark = pytest.mark.paper("wu2023pjz")


@pytest.mark.parametrize(
    ("rate", "noise", "steps", "delta", "expected"),
    [
        (0.01, 1.0, 1000, 1e-5, 2.107753075451561),
        (0.004, 0.8, 2000, 1e-6, 2.690452258044151),
        (0.1, 4.0, 100, 1e-5, 1.0817024008569973),
        (1.0, 10.0, 1, 1e-5, 0.3752912223662765),
        (0.05, 0.6, 50, 1e-4, 9.674772657952936),
    ],
)
def test_the_numbers_of_opacus_1_6_at_whole_orders(rate, noise, steps, delta, expected):
    assert epsilon([steps * x for x in rdp(rate, noise)], delta) == pytest.approx(expected, rel=1e-9)


def test_at_order_two_it_is_the_formula_of_the_paper():
    """log(1 - q² + q² e^{1/σ²})"""
    assert rdp(0.3, 0.7)[0] == pytest.approx(math.log(1 - 0.09 + 0.09 * math.exp(1 / 0.49)))


def test_drawing_everybody_is_the_gaussian_mechanism():
    assert rdp(1.0, 2.0) == tuple(order / 8 for order in ORDERS)
    assert rdp(1 - 1e-9, 2.0) == pytest.approx(rdp(1.0, 2.0), rel=1e-6)


def test_without_noise_nothing_is_private_and_without_steps_everything():
    assert epsilon(rdp(0.01, 0.0), 1e-5) == math.inf
    assert epsilon([0.0] * len(ORDERS), 0.5) == 0


def test_the_noise_of_a_budget_keeps_it_and_less_would_not():
    noise = noise_for(3.0, 0.02, 200, 1e-5)
    spent = [epsilon([200 * x for x in rdp(0.02, s)], 1e-5) for s in (noise, 0.99 * noise)]
    assert spent[0] <= 3.0 < spent[1]
    with pytest.raises(ValueError, match="no noise below"):
        noise_for(1e-6, 1.0, 10**6, 1e-9)
