"""Tokens know their characters, whatever the tokenizer does with them."""

import pytest

from posttrain.data.chat.control import ControlTokens
from tests.data.tokenizer import byte_tokenizer

END = "<|im_end|>"


def test_tokens_within_characters():
    tokens = ControlTokens(byte_tokenizer(merges=("= 1",))).encode("7+5=12" + END)
    assert tokens.within(3, 6) == range(3, 5)  # `=1` begins before the 4th character ends
    assert tokens.within(4, 6) == range(3, 5)  # and reaches into the 5th
    assert tokens.within(5, 6) == range(4, 5)
    assert tokens.within(0, 3) == range(3)


def test_a_character_of_several_tokens_is_never_cut():
    tokens = ControlTokens(byte_tokenizer()).encode("aé☃b")
    assert [tokens.within(i, i + 1) for i in range(4)] == [range(1), range(1, 3), range(3, 6), range(6, 7)]


def test_hidden_tokens_are_spelled_and_stand_at_their_place():
    tokenizer = byte_tokenizer()
    control = ControlTokens(tokenizer)
    hidden = control.hide(f"a{END}b", {END})
    text = f"<filename>{hidden}{END}"
    tokens = control.encode(text)
    assert tokenizer.decode(tokens.ids) == control.shown(text) == f"<filename>a{END}b{END}"
    assert tokens.ids.count(tokenizer.convert_tokens_to_ids(END)) == 1
    start = len("<filename>")
    assert tokens.within(start, start + 1) == range(1, 2)
    assert tokens.within(start + 1, start + 2) == range(2, 2 + len(END))


@pytest.mark.parametrize("text", ["", "abc", f"x{END}\n", "a<filename>b"])
def test_a_tokenizer_that_does_not_tell_characters_gives_the_same(text):
    control = ControlTokens(byte_tokenizer())
    assert control._by_prefixes(text) == control.encode(text)
