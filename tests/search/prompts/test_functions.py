import pytest

from posttrain.search.prompts.functions import FUNCTIONS, rastrigin, recombined, rosenbrock, sphere


@pytest.mark.parametrize(("name", "at"), [("sphere", 0.0), ("rosenbrock", 1.0), ("rastrigin", 0.0)])
def test_minima(name, at):
    f = FUNCTIONS[name]
    assert f((at,) * 3) == pytest.approx(0)
    assert min(f((at + d, at, at)) for d in (-0.1, 0.1)) > 0


def test_golden_values():
    assert sphere((1, 2)) == 5
    assert rosenbrock((0, 1)) == 101
    assert rastrigin((1, 0.5)) == pytest.approx(1 + 20.25)


def test_the_weighted_mean_of_the_better_half():
    """Of four the best two, log(2.5) and log(2.5) - log(2)."""
    members = [((4.0,), 3.0), ((0.0,), 1.0), ((1.0,), 2.0), ((9.0,), 9.0)]
    assert recombined(members)[0] == pytest.approx(0.2231436 / (0.2231436 + 0.9162907))
    assert recombined([((3.0,), 1.0)]) == (3.0,)
