"""Solutions in steps: formats, and the tokens that complete a step."""

import pytest

from posttrain.data.chat.encode import Encoder
from posttrain.data.columns import record
from posttrain.errors import DataError
from tests.data.tokenizer import byte_tokenizer

OURS = {"prompt": "2+2+1=", "steps": ["2+2 = 4", "4+1 = 6"], "labels": [True, False]}
PRM800K = {
    "question": {"problem": "2+2+1?", "ground_truth_answer": "5"},
    "label": {
        "steps": [
            {"completions": [{"text": "Add.", "rating": 0}], "human_completion": None, "chosen_completion": 0},
            {
                "completions": [{"text": "It is 4.", "rating": -1}, {"text": "2+2 is 4.", "rating": 1}],
                "human_completion": None,
                "chosen_completion": 1,
            },
            {"completions": [{"text": "So 6.", "rating": -1}], "human_completion": None, "chosen_completion": None},
        ],
        "finish_reason": "found_error",
    },
}
SHEPHERD = {
    "input": "2+2+1? Step 1: 2+2 is 4. ки\nStep 2: The answer is 6. ки",
    "label": "2+2+1? Step 1: 2+2 is 4. +\nStep 2: The answer is 6. -",
    "task": "GSM8K",
}


def read(values):
    return record(values, "steps", 0, "here")


def row(values, **wanted):
    (made,) = Encoder(byte_tokenizer(), 200).rows(read(values), "steps", wanted)
    return made


@pytest.mark.parametrize(
    ("values", "prompt", "steps", "labels"),
    [
        (OURS, "2+2+1=", ("2+2 = 4", "4+1 = 6"), (1.0, 0.0)),
        ({"prompt": "a?", "completions": ["b", "c"], "labels": [0.25, None]}, "a?", ("b", "c"), (0.25, None)),
        (PRM800K, "2+2+1?", ("Add.", "2+2 is 4.", "So 6."), (1.0, 1.0, 0.0)),
        (SHEPHERD, "2+2+1?\n", ("Step 1: 2+2 is 4.", "Step 2: The answer is 6."), (1.0, 0.0)),
    ],
    ids=["ours", "trl", "prm800k", "math_shepherd"],
)
def test_each_format_is_read(values, prompt, steps, labels):
    made = read(values)
    assert (made.prompt, made.steps, made.labels) == (prompt, steps, labels)


def test_the_token_that_completes_a_step_is_trained_and_has_its_label():
    """A byte is a token: the last character of each step."""
    made = row(OURS)
    text = byte_tokenizer().decode(made.tokens[:-1])
    assert text == "2+2+1=2+2 = 4\n4+1 = 6"
    assert [i for i, t in enumerate(made.trained) if t] == [text.index("\n") - 1, len(text) - 1]
    assert [x for x, t in zip(made.columns["step_label"], made.trained, strict=True) if t] == [1.0, 0.0]
    assert sum(made.columns["step_label"]) == 1.0
    assert made.written[len("2+2+1=") :] == (True,) * (len(made.tokens) - len("2+2+1="))


def test_a_step_without_a_label_is_read_and_not_trained():
    made = row({**OURS, "labels": [None, 0.5]})
    assert sum(made.trained) == 1
    assert sum(made.columns["step_label"]) == 0.5


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"labels": [True]}, "'labels' must hold a label for each of the 2 steps"),
        ({"labels": [True, 2]}, "must be true, false, a number from 0 to 1, or null, not 2"),
        ({"labels": True}, "'labels' must be a list"),
        ({"steps": ["a", " "]}, "'steps' must be a list of texts that are not empty"),
    ],
)
def test_what_is_no_solution_is_refused(change, expected):
    with pytest.raises(DataError, match=expected):
        read({**OURS, **change})


def test_a_solution_without_a_label_is_refused_and_so_are_marks_that_do_not_match():
    with pytest.raises(DataError, match="no step has a label"):
        row({**OURS, "labels": [None, None]})
    with pytest.raises(DataError, match="'label' has no . or - where the text has"):
        read({**SHEPHERD, "label": SHEPHERD["input"]})
    with pytest.raises(DataError, match="no 'Step 1:'"):
        read({**SHEPHERD, "input": "no ки", "label": "no +"})
