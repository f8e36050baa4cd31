import pytest

from posttrain.errors import ConfigError
from posttrain.search.prompts.discretised import Grid, better, history, parsed, request

pytestmark = pytest.mark.paper("000:[78]")
GRID = Grid(-2.0, 2.0, 100)


def test_there_and_back_is_within_half_a_bin():
    x = (-2.0, -1.2345, 0.0, 0.001, 1.9999, 2.0)
    for a, b in zip(x, GRID.numbers(GRID.integers(x)), strict=True):
        assert abs(a - b) <= 0.02 + 1e-12
    every = tuple(range(100))
    assert GRID.integers(GRID.numbers(every)) == every
    assert GRID.integers((-9.0, 9.0)) == (0, 99)


GENERATIONS = [[((9.0,), 9.0)], [((0.0,), 3.0), ((1.0,), 1.0), ((2.0,), 2.0)], [((3.0,), 2.5), ((4.0,), 0.5)]]


def test_the_best_of_the_last_generations_from_the_worst_to_the_best():
    assert [f for _, f in history(GENERATIONS, 2, 2)] == [2.5, 2.0, 1.0, 0.5]
    assert [f for _, f in history(GENERATIONS, 9, 1)] == [9.0, 1.0, 0.5]
    assert [f for _, f in history(GENERATIONS, 1, 5)] == [2.5, 0.5]


def test_the_request_ends_where_the_model_goes_on():
    shown = [((-2.0, 0.0, 1.0), 2.0), ((0.0, 1.0, 2.0), 0.5)]
    assert request(shown, GRID, slice(1, 3), 0.35) == "fitness 2: 50, 75\nfitness 0.5: 75, 99\nfitness 0.35:"
    assert better(0.5, 2.0) == pytest.approx(0.35)
    assert better(0.5, 0.5) < 0.5
    assert better(-3.0, -3.0) < -3.0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" 3, 99", (3, 99)),
        ("fitness 0.35: 3, 99\nfitness 0.2: 1, 1", (3, 99)),
        ("\n[3 4]", (3, 4)),
        ("3", None),
        ("3, 4, 5", None),
        ("3, 100", None),
        ("-3, 4", None),
        ("0.5", None),
        (".5, 4", None),
        ("none", None),
        ("", None),
    ],
)
def test_what_is_read(text, found):
    assert parsed(text, 2, GRID) == found


@pytest.mark.parametrize("given", [(1.0, 1.0, 9), (2.0, -2.0, 9), (0.0, 1.0, 1)])
def test_a_grid_without_numbers_is_an_error(given):
    with pytest.raises(ConfigError, match="give a low below high, and at least 2 bins"):
        Grid(*given)
    assert Grid(0.0, 1.0, 2).integers((0.2, 0.8)) == (0, 1)
