"""Tokens are coloured by what they cost, and never more of them than a page holds."""

from posttrain.studio.tokens import MOST, measures, strip


def test_colours_follow_the_log_prob():
    row = {
        "per_token": {
            "text": list("abcdef"),
            "logp": [0.0, -0.5, -1.0, -3.0, -9.0, None],
            "trained": [1, 1, 0, 1, 1, 0],
        }
    }
    tokens = strip(row, "logp")
    assert [t.colour for t in tokens] == ["t0", "t1", "t2", "t3", "t4", ""]
    assert [t.trained for t in tokens] == [True, True, False, True, True, False]
    assert tokens[1].about == "logp -0.5"


def test_other_numbers_from_the_smallest_to_the_largest():
    row = {"per_token": {"text": list("abc"), "steps": [-1.0, 0.0, 1.0], "version": [3, 3, 3]}}
    assert [t.colour for t in strip(row, "steps")] == ["t0", "t2", "t4"]
    assert [t.colour for t in strip(row, "version")] == ["t2"] * 3
    assert measures(row) == ["steps", "version"]


def test_odd_files_and_long_answers():
    assert measures({"per_token": None}) == []
    assert len(strip({"per_token": {"text": ["x"] * (MOST + 1), "logp": "no list"}}, "logp")) == MOST
