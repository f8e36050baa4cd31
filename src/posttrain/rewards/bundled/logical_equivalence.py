"""Harnessing the Power of LLMs for Natural Language to First-Order Logic Translation (Yang et al., 2023).

LogicLLaMA's score of logical equivalence:

    LE(f, f*) = max over bindings b of the share of rows of the truth table on which b(f) and f* agree

The columns of the table are the different atoms, each with its terms, such as `Likes(x, tea)`. A binding maps the atoms
of f to those of f*, one to one; the shorter list is filled up with atoms that the formula does not read. Bindings are
tried from the one of the most similar spellings on. Quantifiers do not count, and neither does what a predicate is
called: the best binding of P → Q to Q → P is the swapped one, and has the score 1. `keep_names` forbids it.

A random formula agrees on about half of the rows: 0.5 is the score of chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from posttrain.rewards.first_order import Formula, FormulaError, columns, parse


def logical_equivalence(
    completions: list[str],
    formula: list[str | None],
    *,
    bindings: int = 1000,
    keep_names: bool = False,
    atoms: int = 12,
) -> list[float | None]:
    """Score of equivalence with the column `formula`, from 0 to 1; 0 for what is no formula. Abstains where it is None.

    The formula of an answer is its last line. Raises ValueError for a column that is no formula, or that has too many
    atoms.

    Settings:
        bindings: bindings that are tried; at least 1, 1000 in the paper.
        keep_names: whether atoms that both formulas have are bound to each other; false in the paper.
        atoms: different atoms of a formula that are allowed, and of more an answer gets 0; 1 to 16.
    """
    return [
        None if gold is None else _score(text, _gold(gold, atoms), bindings, keep_names, atoms)
        for text, gold in zip(completions, formula, strict=True)
    ]


def _gold(text: str, atoms: int) -> Formula:
    try:
        gold = parse(text)
    except FormulaError as error:
        raise ValueError(f"the column formula has {text!r:.80}, which is no formula: {error}") from error
    if len(gold.atoms()) > atoms:
        raise ValueError(f"the column formula has {text!r:.80} with more than {atoms} atoms")
    return gold


def _score(text: str, gold: Formula, bindings: int, keep_names: bool, atoms: int) -> float:
    lines = text.strip().splitlines()
    try:
        made = parse(lines[-1].strip("$`. ")) if lines else None
    except FormulaError:
        made = None
    if made is None or len(made.atoms()) > atoms:
        return 0.0
    return equivalence(made, gold, bindings=bindings, keep_names=keep_names)


def equivalence(made: Formula, gold: Formula, *, bindings: int = 1000, keep_names: bool = False) -> float:
    """Compute the score of two formulas."""
    wanted, own = list(gold.atoms()), list(made.atoms())
    size = max(len(wanted), len(own))
    table, rows = columns(size)
    truth = gold.table(dict(zip(wanted, table, strict=False)), rows)
    best = 0
    for bound in islice(_bindings(_filled(wanted, size), _filled(own, size), keep_names), bindings):
        value = made.table({own[k]: table[at] for at, k in enumerate(bound) if k < len(own)}, rows)
        best = max(best, (rows ^ truth ^ value).bit_count())
        if best == 1 << size:
            break
    return best / (1 << size)


def _filled(atoms: list[str], size: int) -> list[str]:
    """The atoms, and empty texts for those that the other formula has more."""
    return atoms + [""] * (size - len(atoms))


def _bindings(wanted: Sequence[str], own: Sequence[str], keep_names: bool) -> Iterator[list[int]]:
    """Yield which of `own` each of `wanted` is bound to, the closest spelling first, then the last ones changed."""
    kept = set(wanted) & set(own) - {""} if keep_names else set()
    closest = [_closest(atom, own) for atom in wanted]
    bound: list[int] = []

    def extended() -> Iterator[list[int]]:
        if len(bound) == len(wanted):
            yield bound
            return
        atom = wanted[len(bound)]
        for k in closest[len(bound)]:
            if k not in bound and (atom == own[k] or not {atom, own[k]} & kept):
                bound.append(k)
                yield from extended()
                bound.pop()

    return extended()


def _closest(atom: str, own: Sequence[str]) -> list[int]:
    """The places in `own`, that of the closest spelling first; what is filled up is the farthest from all."""
    return sorted(range(len(own)), key=lambda k: distance(atom, own[k]) if atom and own[k] else math.inf)


def distance(one: str, two: str) -> int:
    """Count the characters to insert, delete or replace between two texts (Levenshtein)."""
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        corner, row[0] = row[0], i
        for j, b in enumerate(two, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (a != b))
    return row[-1]
