"""Sentences with their formulas of first-order logic: "Every cat sleeps." is ∀x (Cat(x) → Sleeps(x)).

Level 1 has two or three predicates, level 2 up to four, level 3 relations with named things. A reward reads the column
`formula`; many formulas are equivalent to it, and `answer` is one.
"""

from __future__ import annotations

from posttrain.data.problem import Draws, Problem

LEVELS = (1, 2, 3)
NOUNS = ("cat", "robot", "student", "painter", "wolf", "ship", "judge", "child", "baker", "clerk", "nurse", "tiger")
ADJECTIVES = ("small", "old", "brave", "tired", "red", "quick", "kind", "quiet", "rich", "young", "proud", "clever")
VERBS = ("sleeps", "waits", "sings", "falls", "wins", "learns", "moves", "smiles")
RELATIONS = ("likes", "owns", "sees", "fears", "wants", "knows")
THINGS = ("tea", "gold", "music", "rain", "bread", "chess")
RULES = {
    1: (
        ("Every {n} {v}.", "∀x ({N}(x) → {V}(x))"),
        ("No {n} {v}.", "∀x ({N}(x) → ¬{V}(x))"),
        ("Some {n} is {a} and {v}.", "∃x ({N}(x) ∧ {A}(x) ∧ {V}(x))"),
        ("Every {n} that is {a} {v}.", "∀x ({N}(x) ∧ {A}(x) → {V}(x))"),
    ),
    2: (
        ("A {n} {v} if and only if it is {a} or {b}.", "∀x ({N}(x) → ({V}(x) ↔ {A}(x) ∨ {B}(x)))"),
        ("Every {n} that {v} is either {a} or {b}, but not both.", "∀x ({N}(x) ∧ {V}(x) → {A}(x) ⊕ {B}(x))"),
        ("No {n} that is {a} but not {b} {v}.", "∀x ({N}(x) ∧ {A}(x) ∧ ¬{B}(x) → ¬{V}(x))"),
    ),
    3: (
        ("Every {n} that {r} {t} is {a}.", "∀x ({N}(x) ∧ {R}(x, {t}) → {A}(x))"),
        ("Every {n} {r} some {m} that {v}.", "∀x ({N}(x) → ∃y ({R}(x, y) ∧ {M}(y) ∧ {V}(y)))"),
        ("Some {a} {n} {r} {t} and {v}.", "∃x ({A}(x) ∧ {N}(x) ∧ {R}(x, {t}) ∧ {V}(x))"),
    ),
}
QUESTION = (
    "Translate the sentence into first-order logic. Use the signs ∀ ∃ ¬ ∧ ∨ ⊕ → ↔ and predicates such as Cat(x). "
    "Answer with the formula alone.\n{sentence}"
)


def make(index: int, seed: int, level: int) -> Problem:
    """Make one problem, a pure function of the arguments. The wrong answer has the last sign of two sides changed."""
    draw = Draws("rules", seed, level, index)
    sentence, formula = draw.choose(RULES[level])
    first, second = draw.integer(0, len(NOUNS) - 1), draw.integer(1, len(NOUNS) - 1)
    third, fourth = draw.integer(0, len(ADJECTIVES) - 1), draw.integer(1, len(ADJECTIVES) - 1)
    words = {"n": NOUNS[first], "m": NOUNS[(first + second) % len(NOUNS)], "v": draw.choose(VERBS)}
    words |= {"a": ADJECTIVES[third], "b": ADJECTIVES[(third + fourth) % len(ADJECTIVES)]}
    words |= {"r": draw.choose(RELATIONS), "t": draw.choose(THINGS)}
    names = {key.upper(): word.capitalize() for key, word in words.items()}
    asked, answer = sentence.format(**words), formula.format(**words, **names)
    last = max("∧∨⊕→↔", key=answer.rfind)
    place = answer.rfind(last)
    return Problem(
        question=QUESTION.format(sentence=asked),
        short=f"{asked}\n",
        answer=answer,
        wrong=answer[:place] + ("∧" if last == "→" else "→") + answer[place + 1 :],
        columns={"formula": answer},
    )
