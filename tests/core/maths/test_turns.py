"""Turns of conversations: where they begin and end, also where a conversation has several rows."""

import torch

from posttrain.core.maths.turns import ends, turns, whole
from posttrain.core.rows import Rows

# Two conversations: one of two rows with the turns 0, 0, 1 | 1, 2, one of a single row; the last token of each row is
# not trained.
ROWS = Rows(torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2]), torch.tensor([1, 1, 1, 0, 1, 1, 0, 1, 0]).bool(), 3)
TURN, CONVERSATION = torch.tensor([0, 0, 1, 1, 1, 2, 2, 0, 0]), torch.tensor([5, 5, 3])


def test_turns_go_on_in_the_next_row_of_a_conversation():
    found = turns(TURN, CONVERSATION, ROWS)
    assert found.length().tolist() == [2, 2, 1, 1]
    assert found.rows.index.tolist() == [0, 0, 0, 1]


def test_the_ends_of_turns_are_trained_tokens():
    assert ends(TURN, CONVERSATION, ROWS).tolist() == [False, True, False, False, True, True, False, True, False]


def test_what_follows_a_row_is_the_next_row_of_its_conversation():
    following = whole(CONVERSATION, ROWS).next(torch.arange(9.0))
    assert following.tolist() == [1, 2, 4, 0, 5, 0, 0, 0, 0]
