"""Learning rates that nobody has set: by what is learned from, and for weights or adapters."""

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.config import load
from posttrain.core.rate import Rate
from posttrain.errors import ConfigError
from posttrain.training.learning_rates import peaks, rate_of, told

LEAST = {"model": "tiny", "method": "x", "data": "d"}
LORA = {"path": "tiny", "lora": {"rank": 4}}


@pytest.mark.parametrize(
    ("method", "role", "weights", "lora"),
    [
        ("imitation/sft", "policy", 2e-5, 2e-4),
        ("preference/dpo", "policy", 1e-6, 1e-5),
        ("preference/simpo", "policy", 1e-6, 1e-5),
        ("preference/kto", "policy", 1e-6, 1e-5),
        ("preference/orpo", "policy", 8e-6, 8e-5),
        ("offline/dro", "policy", 1e-6, 1e-5),
        ("reward/bradley_terry", "reward", 1e-5, 1e-4),
        ("online/grpo", "policy", 1e-6, 1e-5),
        ("online/ppo", "policy", 1e-6, 1e-5),
        ("online/ppo", "critic", 1e-5, 1e-4),
    ],
)
def test_a_method_has_a_rate_for_weights_and_one_for_adapters(method, role, weights, lora):
    assert catalogue.load(method).rate(role) == Rate(weights, lora)
    assert rate_of(load(LEAST), catalogue.load(method), role) == weights
    assert rate_of(load({**LEAST, "model": LORA}), catalogue.load(method), role) == lora


@pytest.mark.parametrize("path", catalogue.paths())
def test_adapters_learn_faster_than_weights(path):
    rate = catalogue.load(path).rate("policy")
    assert 1e-7 < rate.weights < rate.lora < 1e-3


@pytest.mark.parametrize(
    ("models", "rate"),
    [
        ({"critic": "tiny"}, 1e-5),
        ({"critic": LORA}, 1e-4),
        ({"critic": "policy"}, 1e-4),
        ({"reward": "tiny"}, 1e-5),
        ({"reward": LORA}, 1e-4),
        ({"judge": {"endpoint": {"model": "m"}}}, 1e-4),
    ],
    ids=[
        "its own weights",
        "its own adapters",
        "shared",
        "perhaps a copy of weights",
        "a copy of adapters",
        "a server",
    ],
)
def test_the_rate_of_adapters_is_for_roles_that_certainly_have_some(models, rate):
    file = load({**LEAST, "model": LORA, "models": models})
    assert rate_of(file, catalogue.load("online/ppo"), "critic") == rate


def test_what_is_given_comes_first():
    file, ppo = load(LEAST), catalogue.load("online/ppo")
    assert peaks(3e-4, file, ppo, ("policy", "critic")) == 3e-4
    assert peaks(None, file, ppo, ("policy", "critic")) == {"policy": 1e-6, "critic": 1e-5}
    with pytest.raises(ConfigError, match="names no rate for critic, which ppo trains"):
        peaks({"policy": 1e-6}, file, ppo, ("policy", "critic"))


def test_the_display_says_where_the_rates_are_from():
    assert told(1e-5, given=True) == "rate   1e-05"
    line = "rate   policy 1e-06, critic 1e-05, the method's; train.learning_rate sets another"
    assert told({"policy": 1e-6, "critic": 1e-5}, given=False) == line
