"""Learners of Stable-Baselines3 (Raffin et al., 2021): PPO, DQN and SAC, with seeds of ours and weights without pickle.

Stable-Baselines3 seeds and draws from the global generators of Python, numpy and torch; here they are put back behind
it. Its own zip files hold pickled parts, so that weights are kept as safetensors.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from posttrain.errors import ConfigError, MissingExtraError
from posttrain.seeds import seed_for

ALGORITHMS = {"ppo": "PPO", "dqn": "DQN", "sac": "SAC"}
EXTRA = "stable-baselines3"
SEEDS = 2**31  # numpy's and gymnasium's are smaller than ours


def gymnasium_environment(name: str, options: Mapping[str, Any] | None = None) -> Any:
    """Make an environment of gymnasium by its name. ConfigError where there is none."""
    try:
        import gymnasium
    except ModuleNotFoundError as error:
        raise MissingExtraError("environments of gymnasium", EXTRA) from error
    try:
        return gymnasium.make(name, **(options or {}))
    except (gymnasium.error.Error, TypeError) as error:
        raise ConfigError(f"procedure.environment: {name} cannot be made: {error}") from error


def learned(env: Any, algorithm: str, seed: int, steps: int, options: Mapping[str, Any] | None = None) -> Any:
    """Train on the CPU, and return the model of Stable-Baselines3. PPO rounds `steps` up to whole rollouts.

    `options`: keyword arguments of the algorithm, and `policy`, which is MlpPolicy if none is named.
    ConfigError where the algorithm does not take one of them, or cannot act in the environment.
    """
    try:
        import stable_baselines3
    except ModuleNotFoundError as error:
        raise MissingExtraError("learners of Stable-Baselines3", EXTRA) from error
    make = getattr(stable_baselines3, ALGORITHMS[algorithm])
    chosen = {"policy": "MlpPolicy", **(options or {})}
    with generators_put_back():
        try:
            model = make(env=env, seed=seed_for(seed, algorithm) % SEEDS, device="cpu", **chosen)
        except (AssertionError, TypeError, ValueError) as error:
            raise ConfigError(f"procedure.algorithm: {algorithm} cannot begin: {error}") from error
        return model.learn(steps)


def returns(model: Any, env: Any, seed: int, episodes: int) -> list[float]:
    """Act without exploration. The sum of the rewards of each episode; in a world of ours the world's own return."""
    found = []
    with generators_put_back():
        for episode in range(episodes):
            state, _ = env.reset(seed=seed_for(seed, "evaluation", episode) % SEEDS)
            earned, over, info = 0.0, False, {}
            while not over:
                action, _ = model.predict(state, deterministic=True)
                state, reward, done, cut, info = env.step(action)
                earned, over = earned + float(reward), done or cut
            found.append(float(info.get("return", earned)))
    return found


def keep_weights(models: Mapping[str, Any], beside: Path | None) -> None:
    """Write the weights of each policy to NAME.safetensors beside a file; without one nothing is written.

    `model.policy.load_state_dict(safetensors.torch.load_file(file))` reads them.
    """
    from safetensors.torch import save_file

    if beside is None:
        return
    for name, model in models.items():
        weights = {key: x.detach().cpu().clone() for key, x in model.policy.state_dict().items()}
        save_file(weights, beside.with_name(f"{name}.safetensors"))


@contextmanager
def generators_put_back() -> Iterator[None]:
    """Leave the global generators as they are found."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
