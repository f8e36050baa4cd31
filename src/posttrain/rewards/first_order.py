"""Formulas of first-order logic: read, and compared by truth tables over their atoms.

    formula = ∀x f | ∃x f | ¬f | (f) | f ∧ f | f ∨ f | f ⊕ f | f → f | f ↔ f | Atom | Atom(term, term, ...)

∧ binds closest, then ∨, ⊕, → (to the right) and ↔; a quantifier reaches to the end of what follows it. In ASCII:
`forall x`, `exists x`, `~`, `&`, `|`, `^`, `->`, `<->`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST, DEEPEST = 2000, 50  # characters of a formula, and formulas inside each other
ASCII = {"<->": "↔", "->": "→", "&": "∧", "|": "∨", "^": "⊕", "~": "¬", "forall": "∀", "exists": "∃"}
_TOKEN = re.compile(r"\s*(<->|->|[∀∃¬∧∨⊕→↔(),&|^~]|[^\W_][\w'-]*)")
_STRENGTH = {"↔": 1, "→": 2, "⊕": 3, "∨": 4, "∧": 5}
_TO_THE_RIGHT = {"→"}


class FormulaError(ValueError):
    """A text is no formula."""


@dataclass(frozen=True)
class Formula:
    """An atom, whose text is `sign`, or a sign and the formulas that it joins. Quantifiers are left out."""

    sign: str
    of: tuple[Formula, ...] = ()

    def atoms(self) -> dict[str, None]:
        """Return the different atoms in the order in which they stand."""
        return {a: None for f in self.of for a in f.atoms()} if self.of else {self.sign: None}

    def table(self, columns: Mapping[str, int], rows: int) -> int:
        """Compute its column of a truth table, as bits. `columns` are those of the atoms, `rows` has a bit for each."""
        if not self.of:
            return columns[self.sign]
        values = [f.table(columns, rows) for f in self.of]
        match self.sign:
            case "¬":
                return rows ^ values[0]
            case "∧":
                return values[0] & values[1]
            case "∨":
                return values[0] | values[1]
            case "⊕":
                return values[0] ^ values[1]
            case "→":
                return (rows ^ values[0]) | values[1]
            case _:
                return rows ^ values[0] ^ values[1]


def parse(text: str) -> Formula:
    """Read a formula. Raises FormulaError."""
    if len(text) > LONGEST:
        raise FormulaError(f"longer than {LONGEST} characters")
    reading = _Reading(_tokens(text))
    formula = reading.formula(0, 0)
    if reading.tokens:
        raise FormulaError(f"{reading.tokens[-1]!r} stands behind the formula")
    return formula


def columns(count: int) -> tuple[list[int], int]:
    """Return a column of a truth table for each of `count` atoms, as bits, and a column of ones."""
    rows = (1 << (1 << count)) - 1
    return [rows // ((1 << (1 << k)) + 1) for k in range(count)], rows


def _tokens(text: str) -> list[str]:
    """Return the tokens, the first one last."""
    found, end = [], 0
    text = text.rstrip()
    while end < len(text):
        token = _TOKEN.match(text, end)
        if token is None:
            raise FormulaError(f"{text[end:].strip()[0]!r} is no sign of logic")
        found.append(ASCII.get(token[1], token[1]))
        end = token.end()
    return found[::-1]


class _Reading:
    """A formula that is being read."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def formula(self, weakest: int, depth: int) -> Formula:
        """Read what signs of at least this strength join."""
        if depth > DEEPEST:
            raise FormulaError(f"more than {DEEPEST} formulas inside each other")
        left = self.single(depth + 1)
        while self.tokens and (strength := _STRENGTH.get(self.tokens[-1], 0)) > weakest:
            sign = self.tokens.pop()
            right = self.formula(strength - (sign in _TO_THE_RIGHT), depth + 1)
            left = Formula(sign, (left, right))
        return left

    def single(self, depth: int) -> Formula:
        """Read a formula that no sign joins: negated, quantified, in parentheses, or an atom."""
        found = self.word()
        if found == "¬":
            return Formula("¬", (self.negated(depth),))
        if found in ("∀", "∃"):
            self.name()
            return self.formula(0, depth + 1)
        if found == "(":
            inside = self.formula(0, depth + 1)
            self.expect(")")
            return inside
        self.tokens.append(found)
        return Formula(self.atom())

    def negated(self, depth: int) -> Formula:
        if depth > DEEPEST:
            raise FormulaError(f"more than {DEEPEST} formulas inside each other")
        return self.single(depth + 1)

    def atom(self) -> str:
        """Read a predicate and its terms, and return them in one spelling."""
        name = self.name()
        if not self.tokens or self.tokens[-1] != "(":
            return name
        self.tokens.pop()
        terms = [self.name()]
        while (found := self.word()) == ",":
            terms.append(self.name())
        if found != ")":
            raise FormulaError(f"{found!r} in the terms of {name}")
        return f"{name}({','.join(terms)})"

    def word(self) -> str:
        if not self.tokens:
            raise FormulaError("it is cut off")
        return self.tokens.pop()

    def name(self) -> str:
        found = self.word()
        if not found[0].isalnum():
            raise FormulaError(f"{found!r} where a name should stand")
        return found

    def expect(self, sign: str) -> None:
        found = self.word()
        if found != sign:
            raise FormulaError(f"{found!r} where {sign!r} should stand")
