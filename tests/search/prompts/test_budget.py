import pytest

from posttrain.search.prompts.budget import edit_budget, word_distance

pytestmark = pytest.mark.paper("000:[33]")


def test_golden_schedule():
    assert [edit_budget(t, 12, 50, 10) for t in (0, 3, 6, 9, 12)] == [50, 44, 30, 15, 10]


def test_it_never_rises():
    budgets = [edit_budget(t, 7, 20, 3) for t in range(8)]
    assert budgets == sorted(budgets, reverse=True)
    assert (budgets[0], budgets[-1]) == (20, 3)
    assert edit_budget(0, 0, 5, 1) == 5


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a c", 1),
        ("a b", "a x b y", 2),
        ("a b c", "c b a", 2),
        ("", "a b", 2),
        ("a b", "", 2),
        ("think step", "Think step", 1),
        ("x a b c", "a b c y", 2),
    ],
)
def test_golden_distances(one, other, words):
    assert word_distance(one, other) == word_distance(other, one) == words


def test_white_space_is_no_word():
    assert word_distance("a  b\n", " a b") == 0
