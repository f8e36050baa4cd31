"""An environment that does what it is told, also what it should not."""

from __future__ import annotations

import os
import time
from typing import Any

from posttrain.environments.environment import Action, Environment, Outcome


class Odd(Environment):
    """Repeats all it was told. Some words do harm."""

    def __init__(self, *, closed: str = "") -> None:
        self.said: list[str] = []
        self.closed = closed

    def step(self, action: Action) -> Any:
        """Do as told, then answer with everything that was said so far."""
        self.said.append(action.text)
        if action.text in HARM:
            HARM[action.text]()
        if action.text in NONSENSE:
            return NONSENSE[action.text]
        said = {"role": "user", "content": " ".join(self.said)}
        return Outcome((said,), reward=float(len(self.said)), done=action.text == "stop", info={"pid": os.getpid()})

    def close(self) -> None:
        """Say so in a file."""
        if self.closed:
            with open(self.closed, "a", encoding="utf-8") as file:
                file.write(f"{self.said[-1]}\n")


class Forgetful(Odd):
    """Answers otherwise each time."""

    def step(self, action: Action) -> Any:
        """Answer with the time."""
        return Outcome(({"role": "user", "content": f"{action.text} {time.monotonic_ns()}"},))


class Live(Forgetful):
    """Likewise, and says so."""

    replays = False


HARM = {
    "raise": lambda: [][0],
    "exit": lambda: exit("enough"),
    "die": lambda: os._exit(3),
    "hang": lambda: time.sleep(30),
    "fork": os.fork,
    "print": lambda: print("x" * 3_000_000),
    "memory": lambda: bytearray(10**10),
}
NONSENSE: dict[str, Any] = {
    "none": None,
    "tuple": ("observation", 1.0, False, {}),
    "a text": Outcome("hello"),  # type: ignore[arg-type]
    "a message": Outcome({"role": "user", "content": "x"}),  # type: ignore[arg-type]
    "no role": Outcome(({"content": "x"},)),
    "no text": Outcome(({"role": "user", "content": 7},)),
    "no data": Outcome(({"role": "user", "content": "x", "extra": object()},)),
    "nan": Outcome(({"role": "user", "content": "x"},), reward=float("nan")),
    "reward": Outcome(({"role": "user", "content": "x"},), reward="high"),  # type: ignore[arg-type]
    "done": Outcome(({"role": "user", "content": "x"},), done=1),  # type: ignore[arg-type]
    "info": Outcome(({"role": "user", "content": "x"},), info=[1]),  # type: ignore[arg-type]
    "silence": Outcome(),
}
