"""Tokens by their characters; the other form is tested with its tokenizer in test_control.py."""

from posttrain.data.chat.tokens import Located


def test_uneven_offsets_are_put_in_order():
    """A character of three tokens, then one whose leading white space the tokenizer leaves out."""
    tokens = Located([1, 2, 3, 4, 5], [(0, 1), (0, 1), (0, 1), (2, 3), (2, 2)])
    assert tokens.within(0, 1) == range(3)
    assert tokens.within(1, 3) == range(3, 5)


def test_a_token_that_swallows_white_space_begins_before_it():
    tokens = Located([1, 2], [(0, 5), (5, 6)])
    assert tokens.within(4, 6) == range(2)
    assert [tokens.begins_before(i, 4) for i in range(2)] == [True, False]
