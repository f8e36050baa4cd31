"""Filters of questions on a planted set: each catches its own, and nothing that is fine."""

from __future__ import annotations

import pytest

from posttrain.config.load import load
from posttrain.data.dataset import Dataset, from_rows
from posttrain.data.questions import FILTERS, caught, without
from posttrain.errors import ConfigError, DataError
from posttrain.records import Demonstration, Prompt
from posttrain.training.datasets import Datasets

pytestmark = pytest.mark.paper("albalak2025wyc")

PLANTED = {
    "multiple_choice": [
        ("Which is prime?\n(A) 4 (B) 6 (C) 7 (D) 9", "7"),
        ("What is 2 + 2? A. 3 B. 4 C. 5", "4"),
        ("Choose: **A** 1 **B** 2 **C** 3", "1"),
    ],
    "multi_part": [
        ("(a) What is 1 + 1? (b) What is 2 + 2?", "2, 4"),
        ("Find i) the sum and ii) the product of 2 and 3.", "5 and 6"),
        ("1) add 2) multiply", "3"),
    ],
    "yes_no": [("Is 7 prime?", "Yes."), ("Is 8 prime?", "no")],
    "true_false": [("2 is even. Say whether.", "True")],
    "proof": [
        ("Prove that 2 is prime.", "2"),
        ("Show that the sum is 4.", "4"),
        ("Give a proof of Fermat's theorem", "x"),
    ],
    "link": [("See https://x.org/a and add", "4"), ("![figure](a.png) What is x?", "1")],
    "not_english": [("Сколько будет два плюс два?", "4"), ("二加二是多少?", "4")],
    "no_answer": [("What is 2 + 2?", " "), ("What is 2 + 2?", None), ("What is a half?", "\\boxed{\\frac{1}{2}")],
}
FINE = [
    ("What is 2 + 2?", "4"),
    ("Let A be a set with B inside. How many elements has A?", "3"),
    ("A man walks. A dog runs 5 km/h. How far?", "5"),
    ("Find f(a) + f(b) where f(x) = x^2.", "a^2 + b^2"),
    ("What number is shown?", "2"),
    ("¿2 + 2? Find the café's bill.", "4"),
    ("Compute \\frac{1}{2} + 1.", "\\frac{3}{2}"),
]
ROWS = [{"prompt": q, "answer": a} for q, a in [*FINE, *(row for rows in PLANTED.values() for row in rows)]]


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_catches_its_own_alone(name):
    for question, answer in PLANTED[name]:
        assert caught(Prompt(1, question, {"answer": answer}), list(FILTERS)) == [name], question
    for question, answer in FINE:
        assert caught(Prompt(1, question, {"answer": answer}), [name]) == [], question


def test_the_order_of_filters_does_not_matter_and_all_are_counted():
    made = [without(from_rows(ROWS, "prompts"), names) for names in (list(FILTERS), list(FILTERS)[::-1])]
    assert [r.prompt for r in made[0]] == [r.prompt for r in made[1]] == [q for q, _ in FINE]
    assert len(made[0].dropped) == len(ROWS) - len(FINE)
    counts = {text.split()[2]: count for text, (count, _) in made[0].notices.counts.items()}
    assert counts == {name: len(rows) for name, rows in PLANTED.items()}


def test_what_cannot_be_filtered_says_why():
    some = from_rows(ROWS[:3], "prompts")
    with pytest.raises(DataError, match="no filter 'prof' .did you mean 'proof'"):
        without(some, ["prof"])
    with pytest.raises(DataError, match="the filters no_answer leave nothing"):
        without(from_rows([{"prompt": "q", "answer": ""}], "prompts"), ["no_answer"])
    with pytest.raises(DataError, match="these records are no prompts"):
        without(Dataset((Demonstration(1, "q", "a"),)), ["proof"])


def test_a_run_file_filters_its_prompts(tmp_path):
    import json

    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    least = {"model": "tiny", "method": "online/grpo"}
    source = load({**least, "data": {"path": str(tmp_path / "q.jsonl"), "filter": ["yes_no", "proof"]}}).data["main"]
    assert len(Datasets().read(source, "prompts")) == len(ROWS) - 5
    with pytest.raises(ConfigError, match="stream"):
        load({**least, "data": {"path": "q.jsonl", "filter": ["proof"], "stream": True}})
