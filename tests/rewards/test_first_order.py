"""Formulas: what binds closer, in both spellings, and texts that are none."""

from __future__ import annotations

from itertools import product

import pytest

from posttrain.rewards.first_order import FormulaError, columns, parse

pytestmark = pytest.mark.paper("yang202393p")


def value(text, **atoms):
    return parse(text).table({a: int(v) for a, v in atoms.items()}, 1)


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("P", "P"),
        ("¬P ∧ Q", "not P and Q"),
        ("¬(P ∧ Q)", "not (P and Q)"),
        ("P ∨ Q ∧ R", "P or (Q and R)"),
        ("P ⊕ Q ∨ R", "P != (Q or R)"),
        ("P → Q → R", "not P or (not Q or R)"),
        ("(P → Q) → R", "not (not P or Q) or R"),
        ("P → Q ⊕ R", "not P or (Q != R)"),
        ("P ↔ Q → R", "P == (not Q or R)"),
        ("P ⊕ Q ⊕ R", "(P != Q) != R"),
        ("∀x P → ∃y Q ∨ R", "not P or (Q or R)"),
        ("¬∀x P ∧ Q", "not (P and Q)"),
        ("forall x (P -> ~Q <-> exists y (P & Q | R ^ P))", "(not P or not Q) == (((P and Q) or R) != P)"),
    ],
)
def test_signs_mean_what_python_says(text, python):
    for p, q, r in product([False, True], repeat=3):
        assert value(text, P=p, Q=q, R=r) == eval(python, {"P": p, "Q": q, "R": r})


def test_atoms_have_one_spelling_and_the_order_of_the_text():
    formula = parse("∀x∀y (Likes( y ,x) ∧ ¬Likes(x,y) → R2-D2(x, o'Neil) ∧ Likes(y, x))")
    assert list(formula.atoms()) == ["Likes(y,x)", "Likes(x,y)", "R2-D2(x,o'Neil)"]


def test_the_columns_of_a_table_have_every_row_once():
    table, rows = columns(3)
    assert rows == 255
    assert {tuple(c >> row & 1 for c in table) for row in range(8)} == set(product([0, 1], repeat=3))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cut off"),
        ("P ∧", "cut off"),
        ("P(x", "cut off"),
        ("P(x y)", "'y' in the terms of P"),
        ("P()", r"'\)' where a name should stand"),
        ("(P ∧ Q", "cut off"),
        ("P) ∧ Q", r"'\)' stands behind"),
        ("P Q", "'Q' stands behind"),
        ("∀ ∧ P", "'∧' where a name"),
        ("P = Q", "'=' is no sign"),
        ("(" * 60 + "P" + ")" * 60, "more than 50"),
        ("¬" * 60 + "P", "more than 50"),
        ("P → " * 60 + "P", "more than 50"),
        ("P" * 2001, "longer than 2000"),
    ],
)
def test_what_is_no_formula(text, says):
    with pytest.raises(FormulaError, match=says):
        parse(text)
