"""The numbers of a file."""

from posttrain.data.dataset import from_rows
from posttrain.data.report import Lengths, report
from posttrain.records import Row


def row(size, trained):
    marks = (False,) * (size - trained) + (True,) * trained
    return Row(1, (5,) * size, marks, marks)


def test_lengths_are_quantiles_of_the_rows():
    assert Lengths.of(range(1, 101)) == Lengths(1, 50.5, 50, 90, 99, 100)
    assert Lengths.of([7]) == Lengths(7, 7.0, 7, 7, 7, 7)


def test_counts():
    cells = [("a", "b"), ("a", "b"), ("a", "c"), ("d", "b")]
    data = from_rows([{"prompt": p, "completion": c} for p, c in cells], "demonstrations")
    rows = {r.id: [row(size, 2)] for r, size in zip(data, (3, 4, 5, 9), strict=True)}
    done = report("demonstrations", data, rows, max_length=4, unusable=["x:1: bad"], notices=["n"])
    assert (done.records, done.rows, done.tokens, done.trained) == (4, 4, 21, 8)
    assert done.too_long == 2
    assert (done.duplicates, done.same_prompt) == (1, 1)
    assert done.as_dict()["lengths"]["most"] == 9
    assert done.unusable == ("x:1: bad",)


def test_nothing_that_can_be_used():
    done = report("pairs", None, {}, max_length=4, unusable=["x"], notices=[])
    assert (done.records, done.lengths, done.trained_lengths, done.same_prompt) == (0, None, None, 0)
