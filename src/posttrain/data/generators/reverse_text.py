"""Write a word of random letters backwards. Level n has words of n + 2 letters, no letter twice."""

from __future__ import annotations

from string import ascii_lowercase

from posttrain.data.problem import Draws, Problem

LEVELS = tuple(range(1, 11))


def make(index: int, seed: int, level: int) -> Problem:
    """Make one problem, a pure function of the arguments. The wrong answer has two neighbouring letters exchanged."""
    draw = Draws("reverse_text", seed, level, index)
    letters = list(ascii_lowercase)
    word = "".join(letters.pop(draw.integer(0, len(letters) - 1)) for _ in range(level + 2))
    answer = word[::-1]
    i = draw.integer(0, len(answer) - 2)
    return Problem(
        question=f"Write the letters of {word} in reverse order.",
        short=f"{word}>",
        answer=answer,
        wrong=answer[:i] + answer[i + 1] + answer[i] + answer[i + 2 :],
    )
