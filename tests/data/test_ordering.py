import pytest

from posttrain.data.dataset import from_rows
from posttrain.data.feed import Feed
from posttrain.data.ordering import Mixture, difficulties, ordered
from posttrain.errors import DataError

IDS = list(range(13))
BIG, SMALL = range(10), range(10, 13)
MIXTURE = Mixture((0.6, 0.4), {i: int(i >= 10) for i in IDS})


def test_an_epoch_of_a_mixture_ends_when_a_source_is_exhausted():
    """3 records at 0.4 are an epoch of 7.5: 4 (4.5, rounded) from the large source, and all 3 of the small one."""
    assert MIXTURE.shares(IDS) == [4, 3]
    for epoch in range(4):
        chosen = MIXTURE.chosen(IDS, epoch, seed=1)
        assert len(chosen) == len(set(chosen)) == 7
        assert set(SMALL) <= set(chosen)
    first, second, third = (set(MIXTURE.chosen(IDS, e, 1)) & set(BIG) for e in (0, 1, 2))
    assert not first & second  # the large source goes on
    assert third != first
    assert MIXTURE.chosen(IDS, 2, 1) == MIXTURE.chosen(IDS, 2, 1) != MIXTURE.chosen(IDS, 2, 2)


def test_the_sources_are_evenly_spread():
    even = Mixture((0.5, 0.5), {i: i % 2 for i in range(8)})
    assert [i % 2 for i in even.chosen(range(8), 0, 3)] == [0, 1] * 4


def test_sources_that_lost_records_are_mixed_as_they_are():
    assert MIXTURE.shares([0, 1, 10, 11]) == [2, 1]


def rows(*levels):
    return [{"id": i, "prompt": str(i), "level": x} for i, x in enumerate(levels)]


def test_a_curriculum_is_shuffled_within_its_levels():
    data = from_rows(rows(2, "1", 2, 0.5, 2), "prompts", order="level")
    orders = [list(data.order(epoch, 0)) for epoch in range(6)]
    assert all(order[:2] == [3, 1] and sorted(order[2:]) == [0, 2, 4] for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    plain = from_rows(rows(2, "1", 2, 0.5, 2), "prompts")
    assert data.fingerprint != plain.fingerprint  # a position in one means nothing in the other
    assert list(from_rows(rows(3, 2, 1), "prompts", order="file").order(5, 1)) == [0, 1, 2]


def test_a_column_that_is_no_number():
    with pytest.raises(
        DataError, match="row 1: the column 'level', by which the data is ordered, must be a number, not"
    ):
        from_rows(rows(1, "easy"), "prompts", order="level")
    assert difficulties((), "shuffled") is None


def test_a_feed_deals_epochs_of_a_mixture_and_continues_anywhere():
    from dataclasses import replace

    data = replace(from_rows([{"id": i, "prompt": str(i)} for i in IDS], "prompts"), _order={})
    source_of = {r.id: int(i >= 10) for i, r in enumerate(data)}
    mixed = replace(data, mixture=Mixture((0.6, 0.4), source_of), _order={})
    whole = Feed(mixed, 0)
    dealt = [[r.id for r in whole.take(3)] for _ in range(6)]
    assert [len(batch) for batch in dealt] == [3, 3, 1] * 2
    assert (whole.epoch, whole.steps_per_epoch(3)) == (2, 3)
    late = Feed(mixed, 0, position=10)
    assert [r.id for r in late.take(3)] == dealt[4]
    assert ordered(IDS, 0, 1, MIXTURE, None) == MIXTURE.chosen(IDS, 0, 1)
