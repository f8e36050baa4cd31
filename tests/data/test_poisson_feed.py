"""Random subsets: each record independently, whatever was drawn before."""

from statistics import fmean, pvariance

from posttrain.data.dataset import Dataset
from posttrain.data.poisson_feed import PoissonFeed
from posttrain.records import Prompt

DATA = Dataset(tuple(Prompt(i, f"{i}") for i in range(20)), "twenty")


def draws(feed, count, steps):
    return [[r.id for r in feed.take(count)] for _ in range(steps)]


def test_every_record_is_drawn_with_the_same_probability_and_the_size_varies():
    drawn = draws(PoissonFeed(DATA, 3), 5, 800)
    often = [sum(i in batch for batch in drawn) / 800 for i in range(20)]
    assert all(abs(share - 0.25) < 0.06 for share in often)
    sizes = [len(batch) for batch in drawn]
    assert abs(fmean(sizes) - 5) < 0.3
    assert abs(pvariance(sizes) - 20 * 0.25 * 0.75) < 0.6


def test_a_batch_may_be_empty_or_everybody():
    assert [] in draws(PoissonFeed(DATA, 0), 1, 50)
    assert draws(PoissonFeed(DATA, 0), 20, 2) == [list(range(20))] * 2


def test_it_continues_where_it_was():
    feed, again = PoissonFeed(DATA, 1), PoissonFeed(DATA, 1)
    draws(feed, 4, 3)
    again.restore(feed.state())
    assert draws(feed, 4, 3) == draws(again, 4, 3)
    assert draws(PoissonFeed(DATA, 2), 4, 9) != draws(PoissonFeed(DATA, 1), 4, 9)
