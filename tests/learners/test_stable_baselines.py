"""Learners of Stable-Baselines3: seeds, generators that are put back, weights without pickle, and errors with names."""

from __future__ import annotations

import random
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from posttrain.errors import ConfigError, MissingExtraError
from posttrain.learners.as_gymnasium import as_gymnasium
from posttrain.learners.stable_baselines import gymnasium_environment, keep_weights, learned, returns
from posttrain.learners.worlds.chain import Chain
from tests.harness import fake_baselines


@pytest.fixture
def place(monkeypatch):
    pytest.importorskip("gymnasium")
    monkeypatch.setitem(sys.modules, "stable_baselines3", fake_baselines)
    return as_gymnasium(Chain(length=3, slip=0.0))


def drawn():
    return random.random(), np.random.random(), float(torch.rand(()))


def test_the_same_seed_learns_the_same_and_no_generator_moves(place):
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    expected = drawn()
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    models = [learned(place, "dqn", seed, 2) for seed in (5, 5, 6)]
    returns(models[0], place, 0, 1)
    assert drawn() == expected
    first, again, other = (m.policy.bias.item() for m in models)
    assert first == again != other


def test_generators_are_put_back_behind_an_error_too(place):
    before = random.getstate()
    with pytest.raises(ZeroDivisionError):
        learned(place, "ppo", 0, 2, {"learning_rate": 0})
    assert random.getstate() == before


def test_a_policy_is_tried_without_exploration_for_the_return_of_the_world(place):
    model = learned(place, "ppo", 0, 2, {"learning_rate": 0.5})
    assert model.rate == 0.5
    assert returns(model, place, 0, 2) == [0.95, 0.95]  # two steps to a reward of 1


def test_elsewhere_a_return_is_the_sum_of_the_rewards_up_to_an_end_or_a_cut():
    ends, seeds = iter([(False, False), (True, False), (False, True)]), []
    env = SimpleNamespace(
        reset=lambda seed: (seeds.append(seed) or 0, {}), step=lambda action: (0, np.float32(1.5), *next(ends), {})
    )
    model = SimpleNamespace(predict=lambda state, deterministic: (np.asarray(int(deterministic)), None))
    assert returns(model, env, 7, 2) == [3.0, 1.5]
    assert len(set(seeds)) == 2
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_weights_are_kept_without_pickle(place, tmp_path):
    model = learned(place, "ppo", 0, 2)
    keep_weights({"alone-0": model}, tmp_path / "returns.json")
    assert load_file(tmp_path / "alone-0.safetensors")["bias"] == model.policy.bias
    keep_weights({"alone-0": model}, None)
    assert [f.name for f in tmp_path.iterdir()] == ["alone-0.safetensors"]


def test_what_an_algorithm_cannot_do_is_an_error_of_the_run_file(place):
    with pytest.raises(ConfigError, match=r"procedure\.algorithm: sac cannot begin: .*only supports Box"):
        learned(place, "sac", 0, 2)
    with pytest.raises(ConfigError, match=r"learning_rat\b"):
        learned(place, "ppo", 0, 2, {"learning_rat": 0.5})


def test_an_environment_by_name():
    gymnasium = pytest.importorskip("gymnasium")
    assert isinstance(gymnasium_environment("CartPole-v1", {"max_episode_steps": 5}), gymnasium.Env)
    with pytest.raises(ConfigError, match=r"procedure\.environment: CartPoke-v1"):
        gymnasium_environment("CartPoke-v1")


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[stable-baselines3\]"):
        learned(None, "ppo", 0, 1)
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[stable-baselines3\]"):
        gymnasium_environment("CartPole-v1")
