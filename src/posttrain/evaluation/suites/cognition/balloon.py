"""CogBench: A Large Language Model Walks Into a Psychology Lab (Coda-Forno et al., 2024): the balloon task.

Every pump earns a point and may burst the balloon, which loses them all; cashing in keeps them:

    risk = mean number of pumps at balloons that were cashed in

A balloon that neither bursts nor is cashed in, because replies could not be read, has no number.
"""

from __future__ import annotations

import re

from posttrain.evaluation.suite import Item, Suite, continued, user
from posttrain.evaluation.suites.cognition.replies import drawn
from posttrain.records import Prompt, Turns

START = "You pump up a balloon. Every pump earns 1 point; if it bursts, all is lost. Reply with pump or cash."


def balloon(*, balloons: int = 10, most: int = 16, max_tokens: int = 4) -> Suite:
    """Build the suite.

    Settings:
        balloons: number of balloons; at least 1.
        most: pumps at which a balloon bursts at the latest, each earlier one is as likely; at least 2.
        max_tokens: longest reply in tokens; at least 1.
    """

    def bursts_at(item: Item) -> int:
        return 1 + int(drawn("balloon", item.prompt.id) * most)

    def told(item: Item) -> Turns | None:
        if item.answer == "cash" or pumps(item) >= bursts_at(item):
            return None
        said = "That could not be read." if item.answer is None else f"The balloon holds: {pumps(item)} points."
        return continued(item, f"{said} Reply with pump or cash.")

    def risk(item: Item) -> float | None:
        return float(pumps(item)) if item.answer == "cash" else None

    def earned(item: Item) -> float | None:
        return 0.0 if pumps(item) >= bursts_at(item) else risk(item)

    return Suite(
        [Prompt(i, user(START)) for i in range(balloons)],
        {"risk": risk, "earned": earned},
        extract=word,
        follow=lambda items: [told(i) for i in items],
        turns=most + 1,
        max_tokens=max_tokens,
    )


def word(text: str) -> str | None:
    """Read pump or cash, whichever comes first."""
    found = re.search(r"\b(pump|cash)\b", text.lower())
    return found[0] if found else None


def pumps(item: Item) -> int:
    """Count the pumps of a balloon."""
    return sum(r.answer == "pump" for r in item.replies)
