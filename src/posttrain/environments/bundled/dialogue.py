"""A dialogue with a customer, played by a script: ask what is wanted, and write the order.

The policy is the clerk. The customer answers questions that name a detail ("Which size?"), two details at most at a
time, may change its mind, and leaves when its patience is used up. The line `ORDER: size=large, time=noon` ends the
episode: it is worth 1 where it holds every detail as the customer last said it, and no other.

The column `details` maps the name of each detail to what the customer wants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.environments.text_game import observed
from posttrain.errors import DataError
from posttrain.records import Message, Prompt

SHOPS: dict[str, dict[str, tuple[str, ...]]] = {
    "pizza": {
        "size": ("small", "medium", "large"),
        "topping": ("mushroom", "salami", "onion", "spinach"),
        "time": ("noon", "six", "seven", "eight"),
    },
    "train ticket": {
        "origin": ("Lyon", "Bern", "Ghent", "Turin"),
        "destination": ("Prague", "Vienna", "Gdansk", "Porto"),
        "day": ("Monday", "Tuesday", "Friday", "Sunday"),
    },
    "hotel room": {
        "nights": ("one", "two", "three", "five"),
        "bed": ("single", "double"),
        "breakfast": ("yes", "no"),
    },
}
_ORDER = re.compile(r"^\W*order\s*:(.*)$", re.IGNORECASE | re.MULTILINE)


class Dialogue(Environment):
    """Serve a customer that is played by a script.

    Settings:
        patience: number of turns after which the customer leaves; at least 1.
        changes: probability that the customer changes its mind about something that it has said; 0 to 1.
        share: true gives the share of right details in the order, false 1 or 0.
    """

    def __init__(self, *, patience: int = 8, changes: float = 0.0, share: bool = False) -> None:
        self.patience = patience
        self.changes = changes
        self.share = share
        self.details: dict[str, str] = {}
        self.change: tuple[str, str] | None = None  # a detail, and what will be wanted instead
        self.told: set[str] = set()
        self.turns = 0

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Draw customers of three shops."""
        return [_task(Draws("dialogue", "tasks", seed, number)) for number in range(count)]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        details = prompt.columns.get("details")
        if not isinstance(details, Mapping) or not details:
            raise DataError(f"{prompt.where or 'a prompt'}: the column details must map details to what is wanted")
        self.details = {str(name): str(value) for name, value in details.items()}
        draw = Draws("dialogue", seed)
        if draw.integer(0, 999_999) < self.changes * 1e6:
            name = draw.choose(sorted(self.details))
            others = sorted({v for shop in SHOPS.values() for v in shop.get(name, ())} - {self.details[name]})
            self.change = (name, draw.choose(others)) if others else None
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:
        said = (action.content or action.text).rpartition("</think>")[2].strip()
        self.turns += 1
        if orders := _ORDER.findall(said):
            return self._judged(orders[-1])
        if self.turns >= self.patience:
            return observed("This takes too long. Goodbye.", done=True, right=0)
        return observed(self.reply(said))

    def reply(self, said: str) -> str:
        """Answer as the customer."""
        asked = [name for name in self.details if re.search(rf"\b{re.escape(name)}\b", said, re.IGNORECASE)][:2]
        answers = [f"{name}: {self.details[name]}." for name in asked]
        if self.change and self.change[0] in self.told:
            name, value = self.change
            self.details[name], self.change = value, None
            answers.append(f"And I have changed my mind, {name}: {value}.")
        self.told.update(asked)
        return " ".join(answers) or "I do not know what you would like to hear."

    def _judged(self, order: str) -> Outcome:
        """Compare an order with what the customer said last."""
        pairs = [part.partition("=")[::2] for part in re.split(r"[,;]", order)]
        written = {name.strip().casefold(): value.strip(" .").casefold() for name, value in pairs}
        wanted = {name.casefold(): value.casefold() for name, value in self.details.items()}
        right = sum(written.get(name) == value for name, value in wanted.items())
        score = right / max(len(wanted), len(pairs))
        return observed("Thank you.", score if self.share else float(score == 1), done=True, right=right)


def _task(draw: Draws) -> Mapping[str, Any]:
    what = draw.choose(sorted(SHOPS))
    details = {name: draw.choose(values) for name, values in SHOPS[what].items()}
    form = ", ".join(f"{name}=..." for name in details)
    rules = (
        f"You sell to a customer who wants a {what}. Ask for {', '.join(details)}. When you know everything, write one "
        f"line, and nothing else: ORDER: {form}"
    )
    opening = f"Hello, I would like a {what}, please."
    turns = [{"role": "system", "content": rules}, {"role": "user", "content": opening}]
    return {"prompt": turns, "details": details}
