"""Rows and prompts that are too long."""

import pytest

from posttrain.data.chat.length import TooLongError, cut_prompt, cut_row
from posttrain.records import Row

MARKS = (False, False, True, True, True, False)
ROW = Row(7, (10, 11, 12, 13, 14, 15), MARKS, MARKS, {"reward": 2.0, "token_reward": (0.0, 0.0, 1.0, 2.0, 3.0, 0.0)})


def test_a_row_that_fits_stays_as_it_is():
    assert all(cut_row(ROW, 6, how) is ROW for how in ("error", "left", "right", "drop"))


@pytest.mark.parametrize("how", ["error", "drop"])
def test_a_row_that_may_not_be_cut_is_an_error_with_the_remedy(how):
    with pytest.raises(TooLongError, match="a row of 6 tokens does not fit into max_length 5; .* set truncate: left"):
        cut_row(ROW, 5, how)


def test_left_keeps_the_end_and_right_the_beginning_with_their_columns():
    left, right = cut_row(ROW, 4, "left"), cut_row(ROW, 4, "right")
    assert (left.tokens, right.tokens) == ((12, 13, 14, 15), (10, 11, 12, 13))
    assert left.trained == left.written == (False, True, True, False)  # the first token has no context any more
    assert right.trained == (False, False, True, True)
    assert left.columns == {"reward": 2.0, "token_reward": (1.0, 2.0, 3.0, 0.0)}
    assert right.columns["token_reward"] == (0.0, 0.0, 1.0, 2.0)


def test_a_row_without_anything_trained_is_refused():
    with pytest.raises(TooLongError, match="none to train on once it is cut to max_length 2"):
        cut_row(ROW, 2, "right")


def test_a_prompt_is_cut_at_its_beginning_only():
    tokens = (1, 2, 3, 4)
    assert cut_prompt(tokens, 6, 2, "error") == tokens
    assert cut_prompt(tokens, 5, 2, "left") == (2, 3, 4)
    for how in ("error", "right", "drop"):
        with pytest.raises(
            TooLongError, match="a prompt of 4 tokens and an answer of 2 does not fit into max_length 5"
        ):
            cut_prompt(tokens, 5, 2, how)
    with pytest.raises(TooLongError):
        cut_prompt(tokens, 2, 2, "left")  # nothing would be left
