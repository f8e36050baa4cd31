"""Reach a target from numbers, each used exactly once. Level n gives n + 2 numbers.

Many expressions are correct, so a reward reads the columns `numbers` and `target`; `answer` is one solution.
"""

from __future__ import annotations

from posttrain.data.problem import Draws, Problem

LEVELS = (1, 2, 3, 4)
LARGEST = 999  # no product on the way to the target is larger


def make(index: int, seed: int, level: int) -> Problem:
    """Make one problem, a pure function of the arguments. The wrong answer uses the same numbers, off target."""
    draw = Draws("countdown", seed, level, index)
    numbers = [draw.integer(1, 10 * level) for _ in range(level + 2)]
    expression, value = str(numbers[0]), numbers[0]
    for number in numbers[1:-1]:
        expression, value = joined(expression, value, _sign(draw, value, number), number)
    last = numbers[-1]
    sign = _sign(draw, value, last)
    answer, target = joined(expression, value, sign, last)
    wrong, _ = joined(expression, value, "+" if sign == "-" else "-", last)
    given = sorted(numbers)
    listed = ", ".join(map(str, given[:-1])) + f" and {given[-1]}"
    return Problem(
        question=f"Use each of the numbers {listed} exactly once, with + - * and parentheses, to make {target}. "
        "Answer with the expression alone.",
        short=f"{','.join(map(str, given))}>{target}:",
        answer=answer,
        wrong=wrong,
        columns={"numbers": given, "target": target},
    )


def _sign(draw: Draws, value: int, number: int) -> str:
    """Draw a sign that keeps the value positive and at most LARGEST."""
    signs = "+" + "-" * (value > number) + "*" * (value * number <= LARGEST)
    return draw.choose(signs)


def joined(expression: str, value: int, sign: str, number: int) -> tuple[str, int]:
    """Return `expression sign number` and its value; parentheses keep the order from left to right."""
    if sign == "+":
        return f"{expression}+{number}", value + number
    if sign == "-":
        return f"{expression}-{number}", value - number
    inner = expression if expression.isdigit() else f"({expression})"
    return f"{inner}*{number}", value * number
