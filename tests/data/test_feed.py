"""Records are dealt epoch after epoch, and the position says where to continue."""

from __future__ import annotations

import pytest

from posttrain.data.dataset import Dataset
from posttrain.data.feed import Feed
from posttrain.errors import ConfigError
from posttrain.records import Prompt

SEVEN = Dataset(tuple(Prompt(i, str(i)) for i in range(7)))


def dealt(feed, *counts):
    return [[r.id for r in feed.take(n)] for n in counts]


def test_an_epoch_deals_every_record_once_and_a_batch_ends_with_it():
    feed = Feed(SEVEN, seed=1)
    first = dealt(feed, 3, 3, 3)
    assert [len(b) for b in first] == [3, 3, 1]
    assert sorted(sum(first, [])) == list(range(7))
    assert (feed.position, feed.epoch) == (7, 1)
    second = dealt(feed, 3, 3, 3)
    assert sorted(sum(second, [])) == list(range(7))
    assert second != first


def test_the_order_is_of_the_seed_and_the_epoch_alone():
    first, second = (sum(dealt(Feed(SEVEN, seed), 7), []) for seed in (1, 2))
    assert first != second
    assert sum(dealt(Feed(SEVEN, 1), 2, 4, 1), []) == first
    late = Feed(SEVEN, 1, position=7)
    straight = Feed(SEVEN, 1)
    straight.take(7)
    assert dealt(late, 7) == dealt(straight, 7)


@pytest.mark.parametrize("position", [0, 2, 5, 7, 11])
def test_a_feed_continues_from_its_position(position):
    feed, whole = Feed(SEVEN, 4, position), Feed(SEVEN, 4)
    while whole.position < position:
        whole.take(1)
    assert dealt(feed, 2, 2, 2, 2) == dealt(whole, 2, 2, 2, 2)


def test_the_state_of_a_stream_is_not_a_position():
    feed = Feed(SEVEN, 4)
    feed.restore(Feed(SEVEN, 4, position=5).state())
    assert feed.position == 5
    with pytest.raises(ConfigError, match=r"saved with data\.stream"):
        feed.restore({"window": 1})


def test_the_last_batch_of_an_epoch_may_be_smaller():
    feed = Feed(SEVEN, 1)
    assert [feed.steps_per_epoch(n) for n in (1, 3, 6, 7, 8)] == [7, 3, 2, 1, 1]


@pytest.mark.fault("V1")
@pytest.mark.parametrize(
    ("count", "least", "sizes"), [(3, 2, [3, 4]), (3, 1, [3, 3, 1]), (5, 2, [5, 2]), (6, 2, [7]), (9, 2, [7])]
)
def test_a_rest_that_is_too_small_joins_the_batch_before_it(count, least, sizes):
    feed = Feed(SEVEN, 1, least=least)
    batches = dealt(feed, *[count] * len(sizes))
    assert [len(b) for b in batches] == sizes
    assert feed.epoch == 1
    assert feed.steps_per_epoch(count) == len(sizes)
    late = Feed(SEVEN, 1, position=sum(sizes[:-1]), least=least)
    assert dealt(late, count) == batches[-1:]
