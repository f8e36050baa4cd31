"""CogBench: A Large Language Model Walks Into a Psychology Lab (Coda-Forno et al., 2024): temporal discounting.

A smaller amount now or a larger one later. Under hyperbolic discounting an amount A after D days is worth

    V = A / (1 + k D)        k: the rate under which most choices are right; 0 for who always waits

`sooner` is the share of choices of the smaller amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from posttrain.evaluation.suite import Item, Suite, user
from posttrain.evaluation.suites.cognition.replies import letter
from posttrain.records import Prompt

LATER, SHARES, DELAYS = 100, (0.1, 0.3, 0.5, 0.7, 0.9), (2, 7, 30, 90, 365)
RATES = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)


def temporal_discounting(*, max_tokens: int = 4) -> Suite:
    """Build the suite.

    Settings:
        max_tokens: longest reply in tokens; at least 1.
    """
    prompts = [
        Prompt(i, user(told(share, days, sooner)), {"now": share * LATER, "days": days, "sooner": sooner})
        for i, (share, days, sooner) in enumerate(product(SHARES, DELAYS, ("F", "J")))
    ]
    return Suite(prompts, {"sooner": sooner_taken}, wholes={"k": rate}, extract=letter, max_tokens=max_tokens)


def told(share: float, days: int, sooner: str) -> str:
    """Offer both amounts; either stands at each letter once."""
    offers = [f"{share * LATER:.0f} dollars now", f"{LATER} dollars in {days} days"]
    f, j = offers if sooner == "F" else offers[::-1]
    return f"Which do you prefer, F: {f}, or J: {j}? Reply with F or J."


def sooner_taken(item: Item) -> float | None:
    """Give 1 to the smaller amount."""
    return None if item.answer is None else float(item.answer == item["sooner"])


def rate(items: Sequence[Item]) -> float | None:
    """Return the lowest rate under which most choices are right; None without choices."""
    read = [i for i in items if i.answer is not None]

    def explained(k: float) -> int:
        return sum((i["now"] > LATER / (1 + k * i["days"])) == (i.answer == i["sooner"]) for i in read)

    return max(RATES, key=explained) if read else None
