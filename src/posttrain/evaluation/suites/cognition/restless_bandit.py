"""CogBench: A Large Language Model Walks Into a Psychology Lab (Coda-Forno et al., 2024): a restless bandit.

The rewards of two machines drift. In each round the participant names a machine and how sure it is that this is the
better one:

    QSR = mean (1 - (correct - confidence)²)        1 for who always knows, 3/4 for who says one half
"""

from __future__ import annotations

from statistics import fmean

from posttrain.evaluation.metrics.calibration import quadratic_score
from posttrain.evaluation.suite import Item, Suite, continued, user
from posttrain.evaluation.suites.cognition.replies import drawn, letter, number
from posttrain.records import Prompt

START = (
    "You play two slot machines, F and J, whose points drift from round to round. In each round reply with a machine "
    "and with how sure you are, from 0 to 1, that it is the better one, such as: F 0.7."
)


def restless_bandit(*, games: int = 4, rounds: int = 10, max_tokens: int = 8) -> Suite:
    """Build the suite.

    Settings:
        games: number of games; at least 1.
        rounds: rounds of each; at least 2.
        max_tokens: longest reply in tokens; at least 4.
    """
    return Suite(
        [Prompt(i, user(f"{START} Round 1.")) for i in range(games)],
        {"qsr": metacognition, "best": best_share},
        extract=both,
        follow=lambda items: [continued(i, told(i)) for i in items],
        turns=rounds,
        max_tokens=max_tokens,
    )


def both(text: str) -> str | None:
    """Read a machine and the number behind it."""
    machine = letter(text)
    sure = None if machine is None else number(text.partition(machine)[2])
    return None if sure is None else f"{machine} {sure}"


def points(game: int, machine: str, t: int) -> float:
    """Return what a machine gives in a round: 50, and the sum of all drifts up to it."""
    return 50 + sum(20 * (drawn("restless", game, machine, s) - 0.5) for s in range(t + 1))


def told(item: Item) -> str:
    """Tell the points of the last round."""
    t = len(item.replies)
    if item.answer is None:
        return f"That could not be read. Round {t + 1}: reply with a machine and a number."
    machine = item.answer[0]
    return f"Machine {machine} gave {points(item.prompt.id, machine, t - 1):.0f} points. Round {t + 1}."


def rounds_of(item: Item) -> list[tuple[bool, float]]:
    """Return for each round that could be read whether the better machine was chosen, and how surely."""
    found = []
    for t, reply in enumerate(item.replies):
        if reply.answer is not None:
            machine, sure = reply.answer.split()
            other = "J" if machine == "F" else "F"
            game = item.prompt.id
            found.append((points(game, machine, t) > points(game, other, t), float(sure)))
    return found


def metacognition(item: Item) -> float | None:
    """Return the mean quadratic score of the confidences."""
    own = rounds_of(item)
    return fmean(quadratic_score(sure, right) for right, sure in own) if own else None


def best_share(item: Item) -> float | None:
    """Return the share of rounds in which the better machine was chosen."""
    own = rounds_of(item)
    return fmean(right for right, _ in own) if own else None
