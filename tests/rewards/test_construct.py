"""Classes, factories and partials: what is made of them, and with which settings."""

from __future__ import annotations

import functools

import pytest

from posttrain.errors import ConfigError
from posttrain.rewards.construct import make, unpacked
from posttrain.rewards.reward import resolve
from tests.rewards import faulty
from tests.rewards.test_scorer import rollouts, score

F = "tests.rewards.faulty"


def test_a_class_is_constructed_once_in_each_worker():
    batch = rollouts(["a", "bb"], ["ccc"])
    assert score([{"path": f"{F}:Scaled", "factor": 2, "shift": 1}], batch, workers=1)[0] == [3.0, 5.0, 7.0]
    assert score([{"path": f"{F}:Scaled", "factor": 2, "count": True}], batch, workers=1)[0] == [1.0, 1.0, 1.0]
    assert score([faulty.Scaled], batch)[0] == [1.0, 2.0, 3.0]
    assert score([{"path": faulty.Scaled, "factor": 3}], batch, workers=0)[0] == [3.0, 6.0, 9.0]


def test_a_factory_is_called_with_its_settings():
    path = "trl.rewards:get_soft_overlong_punishment"
    reward = resolve({"path": path, "max_completion_len": 100, "soft_punish_cache": 20, "name": "overlong"})
    assert (reward.reads.form, reward.reads.tokens) == ("trl", True)
    assert make("r", faulty.counter, {"start": 2}).function(completions=["a"]) == [2.0]


def test_a_partial_is_its_function_with_settings():
    assert resolve(functools.partial(faulty.brevity, limit=3)) == resolve({"path": f"{F}:brevity", "limit": 3})
    assert unpacked(functools.partial(functools.partial(faulty.words, ["q"]), answer=["x"]))[1] == {
        "prompts": ["q"],
        "answer": ["x"],
    }
    model = object()  # that no worker could get
    reward = resolve(functools.partial(faulty.holds, model=model))
    assert (reward.function, reward.settings) == (faulty.holds, {"model": model})


def test_a_setting_may_fill_what_would_be_a_column():
    assert score([{"path": f"{F}:words", "answer": "x"}], rollouts(["q|x|none"]), max_error_rate=1.0)[0] == [1.0]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"path": f"{F}:Scaled", "facto": 2}, r"Scaled.facto: unknown setting \(did you mean 'factor'\?\)"),
        ({"path": f"{F}:Needy"}, "needs the setting 'table'"),
        ({"path": f"{F}:Mute"}, "the class Mute has no __call__"),
        ({"path": f"{F}:counter", "start": "x"}, "counter cannot be made with .*ValueError"),
        ({"path": f"{F}:broken", "start": 1}, "broken makes int, no function"),
    ],
)
def test_what_cannot_be_made_says_why(spec, said):
    with pytest.raises(ConfigError, match=said):
        resolve(spec)
