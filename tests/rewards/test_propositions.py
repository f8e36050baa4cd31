"""Rule-based rewards: the weighted sum of what a model says of propositions."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.rewards.bundled.propositions import propositions

pytestmark = pytest.mark.paper("002:RBR")


class Asked:
    """Says yes with 0.9 where the proposition's first word stands in the answer, else with 0.2."""

    def choose(self, conversations, options):
        assert options == ("yes", "no")
        self.seen = [turns[0]["content"] for turns in conversations]
        return [
            [0.9, 0.1] if text.split("\n")[1] in text.partition("<answer>")[2] else [0.2, 0.8] for text in self.seen
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
