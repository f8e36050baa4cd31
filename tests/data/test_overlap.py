"""Overlap of training and evaluation data is detected whatever the case, spacing and form of a question."""

import pytest

from posttrain.data.dataset import from_rows
from posttrain.data.overlap import overlap

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
