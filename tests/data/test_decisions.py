"""Decisions: read from files, and encoded into a row for each action."""

import pytest

from posttrain.core.kinds import guess
from posttrain.data.columns import record
from posttrain.data.kinds.decisions import Decision, encode
from posttrain.errors import DataError
from tests.border.encoders import encoder_of

CHOICES = ["go", "pick it up"]


def read(**row):
    return record({"prompt": "now:", "choices": CHOICES, "chosen": "go", **row}, "decisions", 0, "data.jsonl:17")


def test_read():
    told = {"chosen": "pick it up", "episode": 5, "moment": 2, "duration": 3, "reward": 0.5}
    made = read(**told)
    assert (made.prompt, made.choices, made.chosen, made.where) == ("now:", tuple(CHOICES), 1, "data.jsonl:17")
    assert (made.episode, made.moment, made.duration, made.reward) == (5, 2, 3.0, 0.5)
    assert (read().chosen, read(chosen=1).chosen, read().duration) == (0, 1, 1.0)
    assert guess(["prompt", "choices", "chosen"]).name == "decisions"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"choices": "go"}, "must be a list of texts"),
        ({"choices": ["go", ""]}, "must be a list of texts"),
        ({"choices": ["go", "go"]}, "holds a text twice"),
        ({"chosen": "fly"}, "must be one of the choices"),
        ({"chosen": 2}, "must be one of the choices"),
        ({"chosen": True}, "must be one of the choices"),
    ],
)
def test_rows_that_make_no_sense(row, reason):
    with pytest.raises(DataError, match=reason):
        read(**row)


def test_a_row_for_each_action_of_which_one_is_trained():
    encoder = encoder_of("chatml", "bytes")
    decision = Decision(7, ({"role": "user", "content": "now?"},), tuple(CHOICES), 1, reward=0.5, moment=2, episode=3)
    first, second = encode(encoder, decision, {})
    for row, text in zip((first, second), CHOICES, strict=True):
        tokens, read = encoder.followed(decision.prompt, text)
        assert row.tokens == tokens
        assert row.written == (False,) * read + (True,) * (len(tokens) - read)
        assert (row.columns["group"], row.columns["words"]) == (7, len(text.split()))
        assert row.columns["conversation"] == 3
        assert (row.columns["reward"], row.columns["moment"], row.columns["duration"]) == (0.5, 2, 1.0)
    assert second.trained == second.written
    assert not any(first.trained)
    assert first.id != second.id
