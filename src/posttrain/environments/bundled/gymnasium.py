"""Any environment of gymnasium with a finite list of actions, played in words.

    environment: {path: gymnasium, id: FrozenLake-v1, options: {is_slippery: false}}

Each observation is told as text: what the environment draws as `ansi`, else a text as it is, else numbers. The answer
of the policy is the name of an action. Rewards and the end of the episode are the environment's own; the end at
gymnasium's limit of steps is an end too.

The column `start` seeds the environment, so that all answers to one prompt begin in the same place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.environments.environment import Outcome
from posttrain.environments.text_game import TextGame, observed, plain
from posttrain.environments.value_iteration import Table, best_moves, optimal_values
from posttrain.errors import ConfigError, MissingExtraError
from posttrain.records import Prompt
from posttrain.seeds import seed_for

NAMES: dict[str, tuple[str, ...]] = {  # of the actions of environments that come with gymnasium
    "FrozenLake": ("left", "down", "right", "up"),
    "CliffWalking": ("up", "right", "down", "left"),
    "Taxi": ("south", "north", "east", "west", "pickup", "dropoff"),
    "Blackjack": ("stick", "hit"),
    "CartPole": ("left", "right"),
    "MountainCar": ("left", "wait", "right"),
    "Acrobot": ("left", "wait", "right"),
    "LunarLander": ("wait", "left engine", "main engine", "right engine"),
}


class Gymnasium(TextGame):
    """Play an environment of gymnasium.

    Settings:
        id: name of a registered environment, such as FrozenLake-v1; any with a finite list of actions.
        options: keyword arguments of gymnasium.make; any that the environment takes.
        actions: names of the actions in the environment's order; null takes known names, else the numbers from 0.
        drawing: true shows the environment's drawing (its render mode `ansi`) where it has one; false its observation.
    """

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 -- gymnasium's word
        options: Mapping[str, Any] | None = None,
        actions: Sequence[str] | None = None,
        drawing: bool = True,
    ) -> None:
        try:
            import gymnasium
        except ModuleNotFoundError as error:
            raise MissingExtraError("the environment gymnasium", "gymnasium") from error
        try:
            modes = gymnasium.spec(id).kwargs.get("render_mode"), _modes(gymnasium, id)
            draws = drawing and "ansi" in modes[1] and modes[0] is None
            self.world = gymnasium.make(id, **{"render_mode": "ansi"} if draws else {}, **(options or {}))
        except (gymnasium.error.Error, TypeError) as error:
            raise ConfigError(f"environment gymnasium: {id} cannot be made: {error}") from error
        count = getattr(self.world.action_space, "n", None)
        if count is None:
            raise ConfigError(f"environment gymnasium: the actions of {id} are {self.world.action_space}, not a list")
        known = NAMES.get(id.rpartition("/")[2].partition("-v")[0])
        names = actions or known or [str(number) for number in range(count)]
        if len(names) != count:
            raise ConfigError(f"environment gymnasium: {id} has {count} actions, and `actions` names {len(names)}")
        self.names = [plain(str(name)) for name in names]
        self.first = int(getattr(self.world.action_space, "start", 0))
        self.draws = draws
        self.at: Any = None  # the last observation

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Draw starts."""
        rules = "Play this game. Answer each time with the name of one action."
        return [{"prompt": rules, "start": seed_for("gymnasium", seed, n) % 2**31} for n in range(count)]

    def begin(self, prompt: Prompt, seed: int) -> str:
        self.at, _ = self.world.reset(seed=int(prompt.columns.get("start", seed % 2**31)))
        return f"Actions: {', '.join(self.names)}.\n{self.told()}"

    def choices(self) -> Sequence[str]:
        return self.names

    def play(self, move: str) -> Outcome:
        if move not in self.names:
            return observed(f"There is no such action. Actions: {', '.join(self.names)}.")
        number = self.first + self.names.index(move)
        self.at, reward, ended, cut, _ = self.world.step(number)
        return observed(self.told(), float(reward), done=bool(ended or cut), cut=bool(cut and not ended))

    def told(self) -> str:
        """Tell the last observation in words."""
        if self.draws:
            return _without_colours(str(self.world.render()))
        if isinstance(self.at, str):
            return self.at
        if isinstance(self.at, Mapping):
            return "\n".join(f"{name}: {_numbers(value)}" for name, value in self.at.items())
        return f"You observe {_numbers(self.at)}."

    def table(self) -> Table[int, str]:
        """Return the Markov decision process, where the environment has a table `P` of it."""
        return {
            state: {self.names[number]: outcomes for number, outcomes in moves.items()}
            for state, moves in self.world.unwrapped.P.items()
        }

    def optimal(self, discount: float = 0.95) -> list[str]:
        """Return the best actions where the player stands, by value iteration."""
        table = self.table()
        return best_moves(table, optimal_values(table, discount), int(self.at), discount)

    def close(self) -> None:
        self.world.close()


def _modes(gymnasium: Any, name: str) -> Sequence[str]:
    """Return the render modes of a registered environment."""
    entry = gymnasium.spec(name).entry_point
    kind = gymnasium.envs.registration.load_env_creator(entry) if isinstance(entry, str) else entry
    return list(getattr(kind, "metadata", {}).get("render_modes", ()))


def _numbers(value: Any) -> str:
    """Write numbers with four digits, and anything else as it is."""
    if isinstance(value, str):
        return value
    items = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(items, list | tuple):
        return f"[{', '.join(_numbers(item) for item in items)}]"
    return f"{items:.4g}" if isinstance(items, float) else str(items)


def _without_colours(drawing: str) -> str:
    """Turn what a terminal would colour, such as the player's square in FrozenLake, into brackets."""
    return re.sub(r"\x1b\[[\d;]*m(.*?)\x1b\[0m", r"[\1]", drawing, flags=re.DOTALL).strip("\n")
