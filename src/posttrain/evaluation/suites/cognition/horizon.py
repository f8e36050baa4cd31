"""CogBench: A Large Language Model Walks Into a Psychology Lab (Coda-Forno et al., 2024): the horizon task.

Two machines have been played four times, both twice or one of them three times. One more round is left, or six; which
machine comes next? With the differences of means and of information (1 for the machine that was played less):

    P(F) = σ(c + b1 Δmean + b2 Δinformation)        fitted at each horizon
    directed exploration = b2(long) - b2(short)     random exploration = b1(short) - b1(long)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from posttrain.evaluation.metrics.regression import logistic
from posttrain.evaluation.suite import Item, Suite, user
from posttrain.evaluation.suites.cognition.replies import MACHINES, drawn, letter
from posttrain.records import Prompt

PLAYED = {0: "FJFJ", 1: "JJFJ", -1: "FFJF"}  # by who was played less: 1 for F
GAPS = (-20, -8, -4, 4, 8, 20)
SCALE = 10  # points of a difference of 1


def horizon(*, games: int = 4, max_tokens: int = 4) -> Suite:
    """Build the suite.

    Settings:
        games: number of games for each gap, information and horizon, 36 cells; at least 1.
        max_tokens: longest reply in tokens; at least 1.
    """
    prompts: list[Prompt] = []
    for n, gap, less, far in product(range(games), GAPS, PLAYED, (0, 1)):
        columns = {"less": less, "far": far, **game(n, gap, less)}
        prompts.append(Prompt(len(prompts), user(told(columns)), columns))
    return Suite(
        prompts,
        {"best": best},
        wholes={"directed": lambda items: change(items, 2), "random": lambda items: negative(change(items, 1))},
        extract=letter,
        max_tokens=max_tokens,
    )


def game(n: int, gap: int, less: int) -> dict[str, object]:
    """Return the observations of a game, the same at both horizons, and the difference of their means, F less J."""
    seen = []
    for t, machine in enumerate(PLAYED[less]):
        noise = round((drawn("horizon", n, gap, less, t) - 0.5) * 16)
        seen.append((machine, 50 + (gap if machine == "F" else 0) + noise))
    means = {m: [x for machine, x in seen if machine == m] for m in MACHINES}
    return {"seen": tuple(seen), "difference": sum(means["F"]) / len(means["F"]) - sum(means["J"]) / len(means["J"])}


def told(columns: dict[str, object]) -> str:
    """Tell what the machines have given, and how many rounds are left."""
    seen: tuple[tuple[str, int], ...] = columns["seen"]  # type: ignore[assignment]
    given = " ".join(f"Machine {machine} gave {x} points." for machine, x in seen)
    left = "6 more rounds" if columns["far"] else "1 more round"
    return f"You play two slot machines, F and J. {given} You have {left}. Which machine next? Reply with F or J."


def best(item: Item) -> float | None:
    """Give 1 to the machine with the higher observed mean; None where both means are equal."""
    if item.answer is None or not item["difference"]:
        return None
    return float((item.answer == "F") == (item["difference"] > 0))


def change(items: Sequence[Item], which: int) -> float | None:
    """Return how a coefficient of the choice of F changes from the short horizon to the long one; None without both.

    1 is that of the difference of means, 2 that of information.
    """
    fits = []
    for far in (0, 1):
        read = [i for i in items if i.answer is not None and i["far"] == far]
        rows = [[i["difference"] / SCALE, i["less"]] for i in read]
        fits.append(logistic(rows, [float(i.answer == "F") for i in read], ridge=0.1) if read else None)
    short, long = fits
    return None if short is None or long is None else long[which] - short[which]


def negative(x: float | None) -> float | None:
    """Return -x; None for none."""
    return None if x is None else -x
