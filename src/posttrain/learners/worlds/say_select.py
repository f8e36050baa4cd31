"""Say and select: one player sees which number pays and says a number, the other hears it and selects one.

Any code that the two share pays 1, so there are as many best conventions as orders of the numbers. The one who hears
does not see which number pays, so this world has no table.
"""

from __future__ import annotations

from random import Random
from typing import cast

from posttrain.errors import ConfigError
from posttrain.learners.world import State, Step, Table, World

SEES, HEARS = "sees", "hears"


class SaySelect(World):
    """States ("sees", number that pays) and ("hears", number that was said), and an end.

    Settings:
        numbers: how many numbers there are; at least 2.
    """

    goal = "select the number that pays"
    discount = 1.0

    def __init__(self, *, numbers: int = 5) -> None:
        self.actions = tuple(str(number) for number in range(1, numbers + 1))
        self._pays = 0
        self._said: int | None = None

    def reset(self, seed: int) -> State:
        self._pays = Random(seed).randrange(len(self.actions))  # noqa: S311
        self._said = None
        return (SEES, self._pays)

    def step(self, action: int) -> Step:
        if self._said is None:
            self._said = action
            return Step((HEARS, action), 0.0, False)
        return Step("end", float(action == self._pays), True)

    def describe(self, state: State) -> str:
        if state == "end":
            return "A number is selected."
        does, number = cast(tuple[str, int], state)
        if does == SEES:
            return f"You see that {self.actions[number]} pays, and say a number."
        return f"Your partner has said {self.actions[number]}, and you select a number."

    def table(self) -> Table:
        raise ConfigError("say_select: who hears does not see which number pays, so there is no table")
