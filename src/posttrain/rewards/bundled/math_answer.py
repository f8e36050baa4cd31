r"""Whether the final answer of a solution is right.

The answer of a completion is what it marks as such (`\boxed{}`, `####`, "answer is"; see rewards/final_answer.py). Then

1. a gold answer that is a number is compared with the number that the answer states, exactly, as decimals: "12.0",
   "12.", "$12" and "5 + 7 = 12 apples" are 12; "1,234" is 1234; "12.01" is not 12. Without a mark the last number
   of the text counts.
2. otherwise math-verify compares the two as LaTeX: 1/2 = 0.5, x + 1 = 1 + x. Without a mark the last formula
   between dollars counts, or the last line. A gold answer in words must be met by the same words.

A completion without a readable answer is wrong: 0. So are "1_000", "12 million" for 12, full-width digits, "12 or
13", a box that is cut off, and an answer of more than 500 characters, with 20 braces inside each other, a tower of
numbers or an exponent of five digits. Of several boxes the last counts. Percentages are numbers: 12% is 12. Capitals
do not matter.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from posttrain.errors import MissingExtraError
from posttrain.rewards.final_answer import LONGEST, bare, changes, last_number, marked, number, without_unit

_SECONDS = 1  # for parsing one answer, and for comparing two
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_WORDS = re.compile(r"[^0-9\\^=+*/<>]*[^\W0-9_]{3}[^0-9\\^=+*/<>]*")
_HEAVY = re.compile(r"\^\s*\{[^{}]*[0-9]\s*\^|\^\s*[0-9]+\s*\^|\^\s*\{?\s*-?[0-9]{5}")
_NO_NUMBER = re.compile(r"[_,;]|[0-9]\s+[0-9]|[^\W0-9_](?<=\d)")


def math_answer(
    prompts: list[str],  # noqa: ARG001 -- every reward takes the prompts
    completions: list[str],
    answer: list[str | int | float | None],
    *,
    wrong: float = 0.0,
    unmarked: float | None = None,
) -> list[float | None]:
    """1.0 for a right final answer, else `wrong`. The column `answer` may be a solution whose answer is marked.

    Abstains where `answer` is None. Raises ValueError for a gold answer that cannot be read, and TimeoutError when
    math-verify cannot decide in time. RISE has 1, -0.5 for a wrong answer and -1 for none: wrong: -0.5, unmarked: -1.

    Settings:
        wrong: reward of a wrong answer; below 1, 0 is usual.
        unmarked: reward of a text that marks no answer; null judges its last number or formula, else at most `wrong`.
    """
    scores: list[float | None] = []
    for completion, gold in zip(completions, answer, strict=True):
        if gold is not None and unmarked is not None and not marked(completion):
            _gold(gold)  # what cannot be read is an error in any case
            scores.append(unmarked)
        else:
            scores.append(wrong if (score := _grade(completion, gold)) == 0 else score)
    return scores


def _grade(completion: str, answer: str | int | float | None) -> float | None:
    if answer is None:
        return None
    gold = _gold(answer)
    claimed = marked(completion)
    expected = None if "=" in gold else number(gold)
    if expected is not None:
        stated = last_number(completion) if claimed is None else number(claimed)
        if claimed is None or stated is not None:
            return float(stated == expected)
        readable = re.search(r"[0-9\\]", claimed) and not _NO_NUMBER.search(bare(claimed)) and not changes(claimed)
        return float(bool(readable) and _equal(gold, claimed))
    claimed = _last_formula(completion) if claimed is None else claimed
    if _same(gold, claimed):
        return 1.0
    if not claimed or _WORDS.fullmatch(gold) or (changes(gold) ^ changes(claimed)) - {"and", "or"}:
        return 0.0
    return float(_equal(gold, claimed))


def _gold(answer: str | int | float) -> str:
    number_or_text = isinstance(answer, str | int) or (isinstance(answer, float) and math.isfinite(answer))
    if isinstance(answer, bool) or not number_or_text:
        raise ValueError(f"answer is {answer!r:.80}, but a gold answer is a text or a number")
    text = format(Decimal(repr(answer)), "f") if isinstance(answer, float) else str(answer)
    answer_part = marked(text)
    gold = bare(text if answer_part is None else answer_part)
    if not gold:
        raise ValueError(f"answer {text!r:.80} holds no gold answer")
    return gold


def _last_formula(text: str) -> str:
    tail = text[-4 * LONGEST :]
    formulas = ["".join(groups) for groups in _FORMULA.findall(tail)]
    lines = tail.strip().splitlines()
    return formulas[-1] if formulas else lines[-1] if lines else ""


def _same(gold: str, claimed: str) -> bool:
    """Whether the texts are the same; capitals do not matter in words."""
    claimed = bare(claimed)
    if _WORDS.fullmatch(gold):
        return gold.casefold().rstrip(".") == claimed.casefold().rstrip(".")
    return gold == claimed


def _equal(gold: str, claimed: str) -> bool:
    """Whether math-verify finds the two equal."""
    try:
        from math_verify import verify
        from math_verify.errors import TimeoutException
    except ModuleNotFoundError as error:
        raise MissingExtraError("math_answer", "math") from error
    if not _light(claimed):
        return False
    try:
        expected, actual = _parsed(gold), _parsed(claimed)
        if not expected:
            raise ValueError(f"math-verify cannot read the gold answer {gold!r:.80}")
        return bool(actual) and bool(verify(expected, actual, timeout_seconds=_SECONDS, raise_on_error=True))
    except TimeoutException as error:
        message = f"math-verify could not compare {claimed!r:.80} with {gold!r:.80} within {_SECONDS} s"
        raise TimeoutError(message) from error


def _parsed(answer: str) -> list[Any]:
    """Return sympy expressions. All of the answer is one formula: nothing is fished out of a sentence."""
    from math_verify import LatexExtractionConfig, parse

    formula = without_unit(answer).replace("$", " ")
    return list(
        parse(
            f"${formula}$",
            [LatexExtractionConfig()],
            fallback_mode="no_fallback",
            parsing_timeout=_SECONDS,
            raise_on_error=True,
        )
    )


def _light(answer: str) -> bool:
    """Whether an answer is one that a person would check; math-verify may choke on others."""
    depth = deepest = 0
    for character in answer:
        depth += (character in "{([") - (character in "})]")
        deepest = max(deepest, depth)
    return len(answer) <= LONGEST and deepest < 20 and not _HEAVY.search(answer)
