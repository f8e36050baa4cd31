"""Numbers that a loss reads, from the columns of the records to the rows."""

import math

import pytest

from posttrain.data.chat.encode import Encoder
from posttrain.data.collate import collate
from posttrain.data.columns import record
from posttrain.data.numeric_columns import brought, numbers
from posttrain.errors import DataError
from posttrain.records import Ranking
from tests.data.tokenizer import byte_tokenizer

PAIR = {"prompt": "a", "chosen": "b", "rejected": "c"}
DEMO = {"prompt": "a", "completion": "b"}
LIST = {"prompt": "a", "completions": ["b", "cc", "d"]}


def rows(values, kind, *wanted):
    return Encoder(byte_tokenizer(), 100).rows(record(values, kind, 0, "here"), kind, dict.fromkeys(wanted, "B"))


def columns(values, kind, *wanted):
    return [dict(r.columns) for r in rows(values, kind, *wanted)]


def test_a_column_of_a_pair_goes_to_both_rows_and_one_of_a_side_to_its_own():
    values = PAIR | {"margin": 0.5, "chosen_reward": 2, "rejected_reward": "-1.5"}
    assert columns(values, "pairs", "margin", "reward") == [
        {"margin": 0.5, "reward": 2.0},
        {"margin": 0.5, "reward": -1.5},
    ]


def test_only_what_the_method_reads_becomes_a_number():
    assert columns(PAIR | {"margin": "very", "note": "x"}, "pairs") == [{}, {}]
    assert columns(PAIR, "pairs", "margin") == [{}, {}]


def test_one_number_for_each_answer_of_a_ranking():
    made = rows(LIST | {"reward": [3, 2, 1]}, "rankings", "reward")
    assert [r.columns["reward"] for r in made] == [3.0, 2.0, 1.0]
    assert [r.columns["rank"] for r in made] == [0, 1, 2]
    assert len({r.columns["group"] for r in made}) == 1
    assert len({r.id for r in made}) == 3
    assert [sum(r.trained) for r in made] == [2, 3, 2]


def test_demonstrations_and_ratings():
    said = {"prompt": "a", "completion": "b", "reward": True}
    assert columns(said, "demonstrations", "reward") == [{"reward": 1.0}]
    assert columns(said | {"label": False}, "ratings", "reward") == [{"label": False, "reward": 1.0}]


@pytest.mark.parametrize("cell", ["high", float("nan"), "inf", [1.0], {}])
def test_what_is_no_finite_number_is_named_with_its_place(cell):
    with pytest.raises(DataError, match="here: 'margin' must be a finite number"):
        rows(PAIR | {"margin": cell}, "pairs", "margin")


@pytest.mark.parametrize("cell", [1.0, [1.0, 2.0], "321"])
def test_a_ranking_needs_one_number_for_each_answer(cell):
    with pytest.raises(DataError, match="'reward' must be a list of 3 numbers"):
        rows(LIST | {"reward": cell}, "rankings", "reward")


@pytest.mark.parametrize("answers", ["bcd", ["b"], None])
def test_a_ranking_has_at_least_two_answers(answers):
    with pytest.raises(DataError, match="a list of at least two answers"):
        record(LIST | {"completions": answers}, "rankings", 0, "here")


def test_an_empty_answer_of_a_ranking_is_named():
    with pytest.raises(DataError, match=r"'completions\[1\]' is empty"):
        record(LIST | {"completions": ["b", " "]}, "rankings", 0, "here")


def test_a_ranking_of_messages():
    said = [[{"role": "assistant", "content": x}] for x in "bc"]
    made = record({"prompt": [{"role": "user", "content": "a"}], "completions": said}, "rankings", 0, "here")
    assert isinstance(made, Ranking)
    assert made.completions[1][0]["content"] == "c"


def test_a_number_that_only_some_records_have_stops_the_run():
    records = [record({**PAIR, "id": i, "margin": m}, "pairs", i, f"line {i}") for i, m in enumerate([1.0, None])]
    encoder = Encoder(byte_tokenizer(), 100)
    made = {r.id: encoder.rows(r, "pairs", {"margin": "B"}) for r in records}
    with pytest.raises(DataError, match="line 1: 'margin' is a number in some records"):
        brought(records, made)
    assert brought(records[:1], made) == {"margin"}


def test_a_side_wins_over_both():
    assert numbers({"reward": 1, "chosen_reward": 2}, {"reward": "B"}, side="chosen") == {"reward": 2.0}
    assert numbers({"reward": 1, "chosen_reward": 2}, {"reward": "B"}, side="rejected") == {"reward": 1.0}


def test_several_numbers_of_an_answer_with_null_for_one_that_is_missing():
    made = record(
        DEMO | {"good": 3, "safe": None}, "demonstrations", 0, "here", columns={"attributes": ["good", "safe"]}
    )
    (row,) = Encoder(byte_tokenizer(), 100).rows(made, "demonstrations", {"attributes": "B K"})
    assert row.columns["attributes"][0] == 3.0
    assert math.isnan(row.columns["attributes"][1])
    batch = collate([row, row])
    assert batch["attributes"].shape == (2, 2)
    assert batch.axes["attributes"] == "B K"


def test_several_numbers_are_as_many_in_every_record():
    records = [record(DEMO | {"attributes": x}, "demonstrations", i, f"row {i}") for i, x in enumerate(([1, 2], [3]))]
    made = {r.id: Encoder(byte_tokenizer(), 100).rows(r, "demonstrations", {"attributes": "B K"}) for r in records}
    with pytest.raises(DataError, match="row 1: attributes of 1 numbers, but other records have attributes of 2"):
        brought(records, made)
    with pytest.raises(DataError, match="'attributes' must be a list of numbers, null where one is missing, not 3"):
        numbers({"attributes": 3}, {"attributes": "B K"})
