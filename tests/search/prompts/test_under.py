import pytest

from posttrain.search.prompts.under import filled_in, text_in, under

USER, SYSTEM = {"role": "user", "content": "1+1?"}, {"role": "system", "content": "Be kind."}


def test_where_a_prompt_stands():
    assert under("1+1?", "Add.") == "Add.\n1+1?"
    assert under((USER,), "Add.") == ({"role": "system", "content": "Add."}, USER)
    assert under((SYSTEM, USER), "Add.") == ({"role": "system", "content": "Add.\n\nBe kind."}, USER)


@pytest.mark.parametrize("turns", ["1+1?", (USER,), (SYSTEM, USER)])
def test_an_empty_prompt_changes_nothing(turns):
    assert under(turns, "") == turns


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
