"""Overlap of training and evaluation data is detected whatever the case, spacing and form of a question."""

import pytest

from posttrain.data.dataset import from_rows
from posttrain.data.overlap import overlap, repeated

USER = {"role": "user", "content": "What is 2+2?"}
ASKED = from_rows([{"prompt": "What is  2+2?", "answer": "4"}, {"prompt": "And 3+3?", "answer": "6"}], "prompts")


@pytest.mark.paper("000:[62]")
@pytest.mark.fault("D13")
@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("prompts", {"prompt": "what is 2+2?\n"}),
        ("prompts", {"prompt": [{"role": "system", "content": "Be kind"}, USER]}),
        ("pairs", {"prompt": "What is 2+2?", "chosen": "4", "rejected": "5"}),
        ("demonstrations", {"messages": [USER, {"role": "assistant", "content": "4"}]}),
    ],
)
def test_a_question_is_the_same_in_every_form(kind, row):
    assert overlap(from_rows([row], kind), ASKED) == [ASKED[0]]


def test_other_questions_and_texts_are_others():
    assert overlap(from_rows([{"prompt": "What is 2+3?"}], "prompts"), ASKED) == []
    assert overlap(from_rows([{"text": "What is 2+2? It is 4."}], "text"), ASKED) == []


LONG = "A farmer sells 12 eggs each day of the week and keeps 3; how many eggs does she sell in all of May?"


@pytest.mark.paper("000:[62]")
def test_a_planted_copy_inside_another_text_is_found_and_clean_data_are_not():
    asked = from_rows([{"prompt": LONG, "answer": "1"}, {"prompt": "What is 2+2?", "answer": "4"}], "prompts")
    for kind, row in (
        ("prompts", {"prompt": f"Solve this:  {LONG.upper()} Show your work."}),
        ("pairs", {"prompt": "Recall a riddle", "chosen": f"Here: {LONG}", "rejected": "No"}),
        ("text", {"text": f"Old exams. {LONG} The answer is 372."}),
    ):
        assert repeated(from_rows([row], kind), asked) == [asked[0]]
    clean = from_rows([{"prompt": " ".join(LONG.split()[:12])}, {"prompt": "What is 2+2?"}], "prompts")
    assert repeated(clean, asked) == []


def test_a_question_that_is_asked_several_times_is_not_taken_for_a_form():
    asked = from_rows([{"prompt": LONG, "answer": "1", "way": w} for w in "ab"], "prompts")
    assert len(asked) == 2
    assert repeated(from_rows([{"text": f"Old exams. {LONG}"}], "text"), asked) == list(asked)


def test_the_form_that_questions_share_is_no_copy():
    form = "Please think step by step about the question and put your final answer in a box at the end: "
    asked = from_rows([{"prompt": form + x} for x in ("2+2", "3+3")], "prompts")
    assert repeated(from_rows([{"prompt": form + "5+5"}], "prompts"), asked) == []
