"""Answers are filtered and grouped; the numbers of a group are those of its rewards."""

import pytest

from posttrain.studio.samples import Filter, Samples, groups, ordered, parsed
from tests.studio.site import answer

ROWS = [
    answer(prompt=1, sample=0, text="four", reward=1.0, tokens=4),
    answer(prompt=1, sample=1, text="Five", reward=0.0, tokens=9, ended=False),
    answer(prompt=2, sample=0, text="six", reward=None, rewards={"exact": None}, tokens=3),
]


def passing(**wanted):
    return [row["completion"] for row in ROWS if Filter(**wanted).passes(row)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["four", "Five", "six"]),
        ({"words": "FI"}, ["Five"]),
        ({"words": "2+2"}, ["six"]),
        ({"low": 0.5}, ["four"]),
        ({"high": 0.5}, ["Five"]),
        ({"low": 0.0, "high": 1.0}, ["four", "Five"]),
        ({"shortest": 4, "longest": 8}, ["four"]),
        ({"only": "truncated"}, ["Five"]),
        ({"only": "unrated"}, ["six"]),
    ],
)
def test_filters(wanted, found):
    assert passing(**wanted) == found


def test_a_group_has_the_mean_and_the_spread_of_its_rewards():
    first, second = groups(ROWS)
    assert (first.mean, first.spread) == (0.5, 1.0)
    assert [first.above(row) for row in first.rows] == [0.5, -0.5]
    assert (second.mean, second.spread, second.above(second.rows[0])) == (None, None, None)


def test_orders():
    found = groups([*ROWS, answer(prompt=3, reward=0.9, tokens=1)])
    names = {"1": "a", "2": "b", "3": "c"}

    def order(by):
        return "".join(names[g.identity] for g in ordered(found, by))

    assert order("file") == "abc"
    assert order("highest") == "cab"
    assert order("lowest") == "acb"
    assert order("widest") == "acb"
    assert order("narrowest") == "cab"
    assert order("longest") == "abc"


def test_whatever_a_file_holds_becomes_rows():
    rows = parsed(b'{"segments": [1, {"text": "x"}], "reward": {"a": 1}}\nnonsense\n[]\n{"step"')
    assert len(rows) == 1
    assert rows[0]["place"] == 0
    assert rows[0]["segments"] == [{"author": 0, "text": "x", "tokens": None, "reward": None}]


def test_a_file_is_parsed_once_until_it_changes(tmp_path):
    samples, file = Samples(), tmp_path / "step-000001.jsonl"
    file.write_text('{"step": 1}\n')
    assert samples.of(file) is samples.of(file)
    file.write_text('{"step": 1}\n{"step": 1}\n')
    assert len(samples.of(file)) == 2
