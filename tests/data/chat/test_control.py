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


class Mute:
    """A tokenizer that does not tell where its tokens are."""

    is_fast = False

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)

    def __call__(self, text, return_offsets_mapping=False, **options):
        return self.tokenizer(text, **options)


@pytest.mark.parametrize("text", ["", "abc", f"x{END}\n", "a<filename>bé"])
def test_a_tokenizer_that_does_not_tell_characters_gives_the_same(text):
    told, untold = (ControlTokens(t).encode(text) for t in (byte_tokenizer(), Mute(byte_tokenizer())))
    assert told.ids == untold.ids
    for start in range(len(text)):
        for end in range(start, len(text)):
            if not 0 < start - text.find("<") < 10 and not 0 < end - text.find("<") < 10:  # not inside a token
                assert told.within(start, end) == untold.within(start, end)


@pytest.mark.parametrize("mute", [False, True])
def test_hidden_tokens_of_a_tokenizer_that_does_not_tell(mute):
    tokenizer = byte_tokenizer()
    control = ControlTokens(Mute(tokenizer) if mute else tokenizer)
    tokens = control.encode("<filename>" + control.hide(f"a{END}b", {END}) + END)
    assert tokenizer.decode(tokens.ids) == f"<filename>a{END}b{END}"
    assert tokens.ids[-1] == tokenizer.convert_tokens_to_ids(END) not in tokens.ids[:-1]
