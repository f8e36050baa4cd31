"""Logical equivalence: values worked out by hand, what must not matter, and hostile answers."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import pytest

from posttrain.data.generators import rules
from posttrain.rewards.bundled.logical_equivalence import distance, equivalence, logical_equivalence
from posttrain.rewards.first_order import parse
from tests.harness.runs import metrics, run

pytestmark = pytest.mark.paper("yang202393p")


def score(made, gold, **settings):
    return logical_equivalence([made], [gold], **settings)[0]


@pytest.mark.parametrize(
    ("made", "gold", "bound", "named"),
    [
        ("P → Q", "¬P ∨ Q", 1.0, 1.0),
        ("P ∧ Q", "P ∨ Q", 0.5, 0.5),
        ("P → Q", "Q → P", 1.0, 0.5),  # the best binding swaps the two
        ("P", "¬P", 0.0, 0.0),
        ("P ∧ ¬Q", "¬P ∧ Q", 1.0, 0.5),
        ("P", "P ∧ Q", 0.75, 0.75),  # they differ where P alone holds
        ("P ∧ Q", "P", 0.75, 0.75),
        ("A(x) ∧ B(x)", "Cat(x) ∧ Sleeps(x)", 1.0, 1.0),  # what a predicate is called does not matter
        ("P ⊕ Q", "P ↔ Q", 0.0, 0.0),
        ("P ∧ Q ∧ R", "P ∨ Q ∨ R", 0.25, 0.25),
        ("Likes(x, y)", "Likes(y, x)", 1.0, 1.0),
        ("∀x P(x)", "∃x P(x)", 1.0, 1.0),  # quantifiers do not count
    ],
)
def test_golden(made, gold, bound, named):
    assert score(made, gold) == bound
    assert score(made, gold, keep_names=True) == named


def test_it_is_the_best_of_all_bindings():
    """Against a search over all permutations with Python's own booleans."""
    made, gold = parse("(P ∧ Q → R) ∨ ¬S"), parse("(A ∨ B) ∧ (C → D)")
    best = 0.0
    for order in permutations("ABCD"):
        name = dict(zip("PQRS", order, strict=True))
        agree = 0
        for row in product([0, 1], repeat=4):
            v = dict(zip("ABCD", row, strict=True))
            p, q, r, s = (v[name[k]] for k in "PQRS")
            agree += bool((not (p and q) or r) or not s) == bool((v["A"] or v["B"]) and (not v["C"] or v["D"]))
        best = max(best, agree / 16)
    assert equivalence(made, gold) == best


def test_the_first_binding_is_that_of_the_closest_spellings():
    made, gold = "Cats(x) → ¬Dogs(x) ∧ Big(x)", "Cat(x) → ¬Dog(x) ∧ Bigger(x)"
    assert score(made, gold, bindings=1) == 1.0
    assert score("Dogs(x) → Cats(x)", "Cat(x) → Dog(x)", bindings=1) == 0.5
    assert score("Dogs(x) → Cats(x)", "Cat(x) → Dog(x)", bindings=2) == 1.0
    assert [distance(*pair) for pair in (("kitten", "sitting"), ("", "ab"), ("ab", ""), ("ab", "ab"))] == [3, 2, 2, 0]


def test_the_last_line_counts_and_what_is_no_formula_is_0():
    gold = "P ∧ Q"
    assert score("I think it is\n`P & Q`\n", gold) == 1.0
    assert score("$P ∧ Q$.", gold) == 1.0
    for text in (
        "",
        "\n",
        "P ∧ Q\nIs that right?",
        "P ∧",
        "(" * 500,
        "¬" * 1000 + "P",
        "∧".join(f"P{k}" for k in range(40)),
    ):
        assert score(text, gold) == 0.0
    assert logical_equivalence(["P"], [None]) == [None]


def test_a_column_that_is_no_formula_is_an_error():
    with pytest.raises(ValueError, match="no formula: it is cut off"):
        score("P", "P ∧")
    with pytest.raises(ValueError, match="more than 2 atoms"):
        score("P", "P ∧ Q ∧ R", atoms=2)
    assert score("P ∧ Q ∧ R", "P ∧ Q", atoms=2) == 0.0


def test_rules_train_through_the_recipe(tmp_path):
    problem = rules.make(0, 0, 1)
    assert score(problem.answer, problem.columns["formula"]) == 1.0
    result = run(
        Path(__file__).parents[2] / "recipes" / "smollm2_logic_llama.yaml", tmp_path, "model=tiny",
        "procedure.sft={steps: 1, prompts_per_step: 1}", "procedure.then={steps: 1, prompts_per_step: 1}",
        "data.demonstrations=rules:size=2", "data.prompts=rules:size=2", "sampling.max_tokens=4", "sampling.samples=2",
        "evaluate=null", "scoring.workers=0", "train.save_minutes=0",
    )  # fmt: skip
    assert 0 <= metrics(result)[-1]["rewards/logical_equivalence/mean"] <= 1
    assert metrics(result)[-1]["errors/reward_logical_equivalence"] == 0
