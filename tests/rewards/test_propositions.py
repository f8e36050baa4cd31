"""Rule-based rewards: the weighted sum of what a model says of propositions, and the fit of the weights."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.rewards.bundled.propositions import propositions
from posttrain.selection.rule_weights import hinge_weights

pytestmark = pytest.mark.paper("002:RBR")


class Asked:
    """Says yes with 0.9 where the proposition's first word stands in the answer, else with 0.2."""

    def choose(self, conversations, options):
        assert options == ("yes", "no")
        self.seen = conversations
        return [
            [0.9, 0.1] if text.split("\n")[1] in text.partition("<answer>")[2] else [0.2, 0.8] for text in conversations
        ]


def test_the_sum_and_the_curve_of_each_proposition():
    made = propositions(
        ["q"] * 2, ["sorry", "harm <b>"], model=(model := Asked()), weights={"sorry": 0.5, "harm": -2.0}
    )
    assert made == [pytest.approx(0.5 * 0.9 - 2 * 0.2), pytest.approx(0.5 * 0.2 - 2 * 0.9)]
    assert made.watched == {"proposition_1": [0.9, 0.2], "proposition_2": [0.2, 0.9]}
    assert "harm &lt;b&gt;" in model.seen[2]
    with pytest.raises(ConfigError, match="names no proposition"):
        propositions(["q"], ["a"], model=model, weights={})


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
    assert hinge_weights([(BETTER, WORSE), (WORSE, BETTER)], steps=3) == [0.0, 0.0]
