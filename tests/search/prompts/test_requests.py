import pytest

from posttrain.search.prompts.requests import filled_in, text_in


def test_requests_are_filled_in_at_once():
    assert filled_in("{a} {b} {c}", a="{b}", b="<x>") == "{b} <x> {c}"


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("Well: <prompt>\nAdd.\n</prompt> Good?", "Add."),
        ("<prompt>Add.", "Add."),
        (" Add. ", "Add."),
        ("<prompt> </prompt> Add.", None),
        ("", None),
        (None, None),
    ],
)
def test_how_replies_are_read(reply, text):
    assert text_in(reply) == text
