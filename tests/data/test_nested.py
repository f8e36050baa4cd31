import pytest

from posttrain.data.nested import cell, names, root
from posttrain.errors import DataError

ROW = {"reward_model": {"truth": "4"}, "messages": [{"content": "2+2"}], "a.b": 1}


def test_a_path_leads_into_objects_and_lists():
    assert cell(ROW, "reward_model.truth", "answer") == "4"
    assert cell(ROW, "messages.0.content", "prompt") == "2+2"
    assert cell(ROW, "a.b", "x") == 1
    assert [root(ROW, path) for path in ("reward_model.truth", "a.b", "a")] == ["reward_model", "a.b", "a"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "truth",
            "the column 'truth', which is to be read as 'answer', is missing; this row has reward_model, messages",
        ),
        ("reward_model.trut", "is missing (did you mean 'truth'?); the cell has truth"),
        ("messages.1.content", "is missing; the cell has no such part"),
        ("messages.0.content.x", "is missing; the cell has no such part"),
    ],
)
def test_a_path_that_leads_nowhere(path, expected):
    with pytest.raises(DataError) as caught:
        cell(ROW, path, "answer")
    assert expected in str(caught.value)


def test_several_paths_are_a_list_of_what_they_lead_to():
    assert cell(ROW, ["a.b", "reward_model.truth"], "x") == [1, "4"]
    assert names({"x": ["a.b", "c"], "y": "d"}) == ["a.b", "c", "d"]
    with pytest.raises(DataError, match="the column 'c', which is to be read as 'x', is missing"):
        cell(ROW, ["a.b", "c"], "x")
