"""A world of ours as an environment of gymnasium, for the learners of other libraries, with or without help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from posttrain.errors import MissingExtraError
from posttrain.learners.q_learning import Extra, Transition
from posttrain.learners.world import State, World


def as_gymnasium(world: World, *, extras: Sequence[Extra] = (), horizon: int = 100) -> Any:
    """Make a gymnasium.Env: states are their numbers in the table of the world, and episodes are cut after `horizon`.

    `extras` are added to the reward (learners.guides); `info` of the last step has the return of the world itself.
    Where one of them does not know what a step earns, none is added, and its `info` says `unknown`.
    """
    try:
        import gymnasium
    except ModuleNotFoundError as error:
        raise MissingExtraError("worlds as environments of gymnasium", "gymnasium") from error
    index = world.table().index()

    class OfWorld(gymnasium.Env):  # type: ignore[misc]
        def __init__(self) -> None:
            self.observation_space = gymnasium.spaces.Discrete(len(index))
            self.action_space = gymnasium.spaces.Discrete(len(world.actions))
            self.state: State = None
            self.episode = -1
            self.time = 0
            self.earned = 0.0

        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[int, dict[str, Any]]:
            super().reset(seed=seed, options=options)
            self.state = world.reset(int(self.np_random.integers(2**31)))
            self.episode += 1
            self.time, self.earned = 0, 0.0
            for extra in extras:
                extra.begin(self.state, self.episode)
            return index[self.state], {}

        def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
            after = world.step(int(action))
            step = Transition(self.state, int(action), after.reward, after.state, after.done, self.episode, self.time)
            self.earned += world.discount**self.time * after.reward
            self.state, self.time = after.state, self.time + 1
            cut = self.time >= horizon and not after.done
            added = [extra(step) for extra in extras]
            info: dict[str, Any] = {"return": self.earned} if after.done or cut else {}
            if None in added:
                info["unknown"] = True
            reward = after.reward + sum(x for x in added if x is not None and None not in added)
            return index[after.state], reward, after.done, cut, info

    return OfWorld()
