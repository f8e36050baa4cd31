"""Phrases end at punctuation, at the end of a line, and after so many words."""

import pytest

from posttrain.rewards.bundled.phrases import phrases


def cut(text, **settings):
    (spans,) = phrases([text], **settings)
    assert [value for *_, value in spans] == [1.0] * len(spans)
    return [text[start:end] for start, end, _ in spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes, we can. Go!", ["Yes,", " we can.", " Go!"]),
        ("one two three four", ["one two three", " four"]),
        ("so it ends\t\n(here) now", ["so it ends", "\t\n(here) now"]),
        ('He said "stop." Then left', ['He said "stop."', " Then left"]),
        ("3.14 is no end", ["3.14 is no", " end"]),
        ("", []),
        ("  \n ", []),
    ],
)
def test_phrases(text, expected):
    assert cut(text, longest=3) == expected


def test_they_lie_end_to_end_and_the_last_word_is_in_one():
    text = "A first one; a second, longer than the others are\nand the end"
    assert "".join(cut(text)) == text
    assert cut(text, longest=1) == ["A", *(f"{' ' if w != 'and' else chr(10)}{w}" for w in text.split()[1:])]
