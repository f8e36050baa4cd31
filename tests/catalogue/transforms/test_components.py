"""Methods that are written for one reward, for several."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError
from posttrain.core.plan import plan

METHOD = load("online/constrained_rlhf")


def test_every_reward_has_a_critic_a_multiplier_and_settings():
    made = configure(METHOD, {"components": ["helpful", "brief"], "multiplier/brief.threshold": 2.0})
    assert {"kl_helpful", "critic", "helpful_critic", "brief_critic"} & set(plan(made).trained) == {
        "critic",
        "helpful_critic",
        "brief_critic",
    }
    thresholds = {n: dict(made.derived[f"multiplier/{n}"].part.settings)["threshold"] for n in ("helpful", "brief")}
    assert thresholds == {"helpful": 0.5, "brief": 2.0}
    assert set(made.loss) == {"policy", "value", "value/helpful", "value/brief"}
    assert made.columns == {"reward_brief": "B", "reward_helpful": "B"}


def test_a_setting_without_a_name_is_that_of_all():
    made = configure(METHOD, {"components": ["a", "b"], "threshold": 0.1})
    assert all(dict(made.derived[f"multiplier/{n}"].part.settings)["threshold"] == 0.1 for n in "ab")


@pytest.mark.parametrize("names", [[], "a", ["a", "a"], ["a b"], [1]])
def test_components_are_names_of_different_rewards(names):
    with pytest.raises(PartError, match=r"method.components must be a list of names"):
        configure(METHOD, {"components": names})


def test_a_method_of_one_reward_has_no_components():
    with pytest.raises(PartError, match="method.components: ppo reads one reward"):
        configure(load("online/ppo"), {"components": ["a", "b"]})
