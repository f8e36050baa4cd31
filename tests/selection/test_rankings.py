import pytest

from posttrain.errors import DataError
from posttrain.records import Ranking
from posttrain.selection.rankings import by_score, deviations, shares, votes_of

ANSWERS = Ranking(1, "q", ("a", "b", "c"), {"votes": [3, 9, 3], "tag": "sql"}, "file:1")


def test_the_best_comes_first_with_its_columns_and_ties_keep_their_order():
    made = by_score(ANSWERS, [0.5, 2.0, 0.5])
    assert made.completions == ("b", "a", "c")
    assert made.columns == {"votes": [9, 3, 3], "tag": "sql"}
    assert by_score(ANSWERS, [0.0, 0.0, 0.0]) == ANSWERS


def test_golden_scores_of_votes():
    assert deviations([1, 3]) == [-1.0, 1.0]
    assert deviations([0, 0, 3]) == pytest.approx([-(0.5**0.5), -(0.5**0.5), 2**0.5])
    assert shares([2, 6, 3]) == [0.0, 1.0, 0.25]


def test_votes_that_are_all_the_same_say_nothing():
    assert deviations([4, 4]) == shares([4, 4]) == [0.0, 0.0]


def test_a_constant_on_all_votes_changes_no_score():
    """So the votes of the accepted answer change no order."""
    assert deviations([5, 7, 8]) == pytest.approx(deviations([0, 2, 3]))


def test_votes_are_numbers():
    assert votes_of(ANSWERS) == [3.0, 9.0, 3.0]
    assert all(isinstance(v, float) for v in votes_of(ANSWERS))


@pytest.mark.parametrize("votes", [None, [1, 2], 3])
def test_votes_that_are_missing_are_named_with_their_place(votes):
    with pytest.raises(DataError, match="file:1: 'votes' must be a list of 3 numbers"):
        votes_of(Ranking(1, "q", ("a", "b", "c"), {"votes": votes}, "file:1"))
