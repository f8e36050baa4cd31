"""CogBench: A Large Language Model Walks Into a Psychology Lab (Coda-Forno et al., 2024): instrumental learning.

Two machines win with fixed probabilities. Rescorla-Wagner's rates are fitted to the choices of all games:

    Q(a) <- Q(a) + α± (r - Q(a))        learning rate = (α+ + α-)/2,    optimism = α+ - α-
"""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.evaluation.metrics.regression import Learning, learning_rates
from posttrain.evaluation.suite import Item, Suite, continued, user
from posttrain.evaluation.suites.cognition.replies import MACHINES, drawn, letter
from posttrain.records import Prompt

CHANCES = ((0.75, 0.25), (0.25, 0.75), (0.6, 0.4), (0.4, 0.6))
START = "You play two slot machines, F and J. Each wins or loses. Win as often as you can; reply with F or J. Round 1."


def instrumental_learning(*, games: int = 8, rounds: int = 16, max_tokens: int = 4) -> Suite:
    """Build the suite.

    Settings:
        games: number of games; at least 1.
        rounds: rounds of each; at least 2, 16 or more fit the rates.
        max_tokens: longest reply in tokens; at least 1.
    """
    return Suite(
        [Prompt(i, user(START), {"chances": CHANCES[i % len(CHANCES)]}) for i in range(games)],
        wholes={"learning_rate": lambda i: rate(fitted(i), "rate"), "optimism": lambda i: rate(fitted(i), "optimism")},
        extract=letter,
        follow=lambda items: [continued(i, told(i)) for i in items],
        turns=rounds,
        max_tokens=max_tokens,
    )


def won(item: Item, t: int, machine: str) -> bool:
    """Whether a machine wins in a round."""
    chance: float = item["chances"][MACHINES.index(machine)]
    return drawn("instrumental", item.prompt.id, t, machine) < chance


def told(item: Item) -> str:
    """Tell whether the machine of the last round won."""
    t = len(item.replies)
    if item.answer is None:
        return f"That could not be read; reply with F or J. Round {t + 1}."
    return f"Machine {item.answer} {'won' if won(item, t - 1, item.answer) else 'lost'}. Round {t + 1}."


def fitted(items: Sequence[Item]) -> Learning | None:
    """Fit the rates to the choices and rewards of all games."""
    return learning_rates([played(i) for i in items])


def played(item: Item) -> list[tuple[int, float]]:
    """Return the choice and the reward of each round that could be read."""
    chosen = [(t, r.answer) for t, r in enumerate(item.replies) if r.answer is not None]
    return [(MACHINES.index(machine), float(won(item, t, machine))) for t, machine in chosen]


def rate(found: Learning | None, name: str) -> float | None:
    """Return a number of a fit; None without one."""
    return None if found is None else float(getattr(found, name))
