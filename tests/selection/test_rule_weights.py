"""The fit of the weights of rules: signs, margin, what a reward model knows already."""

from __future__ import annotations

import pytest

from posttrain.selection.rule_weights import hinge_weights, ordered_share

pytestmark = pytest.mark.paper("002:RBR")

BETTER, WORSE = (1.0, 0.0), (0.0, 1.0)  # what is desired, what is disallowed


def test_weights_reach_the_margin_with_the_signs_of_the_order():
    good, bad = hinge_weights([(BETTER, WORSE)], rate=0.05, steps=200)
    assert good == pytest.approx(-bad)
    assert 0.5 <= good < 1.2  # a gap of the margin at least; momentum carries it further


def test_a_pair_that_leads_by_the_margin_already_needs_no_weights():
    assert hinge_weights([(BETTER, WORSE)], [(1.5, 0.5)]) == [0.0, 0.0]
    assert hinge_weights([(BETTER, WORSE)], [(1.5, 0.5)], margin=1.1, steps=5)[0] > 0
    assert (
        hinge_weights([(BETTER, WORSE)], [(0.5, 1.5)], steps=60)[0]
        > hinge_weights([(BETTER, WORSE)], steps=60)[0] - 1e-9
    )


def test_the_first_steps_are_those_of_adam():
    """The slope is -1 for the first weight: Adam moves by the rate, whatever its size."""
    assert hinge_weights([(BETTER, WORSE)], steps=3) == pytest.approx([0.03, -0.03], abs=1e-6)
    assert hinge_weights([((2.0, 0.0), (0.0, 3.0))], steps=3, rate=0.05) == pytest.approx([0.15, -0.15], abs=1e-6)
    assert hinge_weights([(BETTER, WORSE), (WORSE, BETTER)], steps=3) == [0.0, 0.0]


def test_golden_of_the_share_of_pairs_in_order():
    """The better answers lead by 2 - 1, by 0.5 + 0.5 + 1 and by 1 - 1; then by -2 - 1, 0.5 - 0.5 + 1 and 1 + 1."""
    pairs = [((1.0, 0.0), (0.0, 0.5)), ((0.25, 0.0), (0.0, -0.5)), ((0.0, 0.5), (0.5, 0.0))]
    scores = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.0)]
    assert ordered_share(pairs, scores, [2.0, 2.0]) == pytest.approx(2.5 / 3)
    assert ordered_share(pairs, scores, [-2.0, 2.0]) == pytest.approx(2 / 3)
    assert ordered_share(pairs, [(0.0, 0.0)] * 3, [0.0, 0.0]) == 0.5
