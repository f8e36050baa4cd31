"""Sums, differences and products of whole numbers: "What is 7 + 5?"."""

from __future__ import annotations

from dataclasses import dataclass

from posttrain.data.problem import Draws, Problem


@dataclass(frozen=True)
class Level:
    """Sums of `terms` numbers from `low` to `high`, joined by signs drawn from `signs`."""

    terms: int
    signs: str
    low: int
    high: int


TABLE = {
    1: Level(2, "+", 1, 20),  # 400 questions
    2: Level(2, "+", 10, 99),
    3: Level(2, "+-", 10, 99),
    4: Level(3, "+-", 10, 99),
    5: Level(2, "*", 3, 99),
    6: Level(3, "+-*", 2, 20),
}
LEVELS = tuple(TABLE)


def make(index: int, seed: int, level: int) -> Problem:
    """Make one problem, a pure function of the arguments. The wrong answer is off by one, two or ten."""
    shape = TABLE[level]
    draw = Draws("arithmetic", seed, level, index)
    numbers = [draw.integer(shape.low, shape.high) for _ in range(shape.terms)]
    signs = [draw.choose(shape.signs) for _ in numbers[1:]]
    value = evaluate(numbers, signs)
    spoken = str(numbers[0]) + "".join(f" {s} {n}" for s, n in zip(signs, numbers[1:], strict=True))
    return Problem(
        question=f"What is {spoken}?",
        short=spoken.replace(" ", "") + "=",
        answer=str(value),
        wrong=str(value + draw.choose((-2, -1, 1, 2, 10))),
    )


def evaluate(numbers: list[int], signs: list[str]) -> int:
    """Compute the value: products first, then from left to right."""
    summands = numbers[:1]
    for sign, number in zip(signs, numbers[1:], strict=True):
        if sign == "*":
            summands[-1] *= number
        else:
            summands.append(number if sign == "+" else -number)
    return sum(summands)
