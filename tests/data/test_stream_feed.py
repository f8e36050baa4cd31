"""A stream is dealt window after window, the same way each time, and continues from its state."""

from __future__ import annotations

import json

import pytest

from posttrain.data.dataset import load
from posttrain.data.stream_feed import StreamFeed
from posttrain.errors import ConfigError, DataError


def file_of(folder, rows, name="rows.jsonl"):
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder / name)


def numbered(count):
    return [{"prompt": str(i)} for i in range(count)]


def feed_of(path, seed=1, window=4, least=1, **how):
    return StreamFeed(load(path, "prompts", window=window, **how), seed, lambda data: data, least)


def dealt(feed, *counts):
    return [[int(r.prompt) for r in feed.take(n)] for n in counts]


def test_every_pass_deals_every_record_once_in_an_order_of_its_own(tmp_path):
    path = file_of(tmp_path, numbered(10))
    feed = feed_of(path)
    first, second = dealt(feed, 4, 4, 4), dealt(feed, 4, 4, 4)
    assert [sorted(batch) for batch in first] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [sorted(batch) for batch in second] == [sorted(batch) for batch in first]
    assert second != first
    assert (feed.epoch, feed.progress, feed.position) == (1, 1.0, 20)
    assert dealt(feed_of(path), 4, 4, 4) == first
    assert dealt(feed_of(path, seed=2), 4, 4, 4) != first
    assert sum(dealt(feed_of(path, order="file"), 3, 3, 3, 3, 3), []) == list(range(10))


def test_records_have_the_ids_that_they_have_in_memory(tmp_path):
    path = file_of(tmp_path, [*numbered(5), {"prompt": "5", "id": "five"}])
    whole = {r.prompt: (r.id, r.where) for r in load(path, "prompts")}
    streamed = feed_of(path, order="file")
    assert {r.prompt: (r.id, r.where) for n in (4, 4) for r in streamed.take(n)} == whole


@pytest.mark.parametrize("steps", range(8))
def test_a_stream_continues_from_its_state(tmp_path, steps):
    path = file_of(tmp_path, numbered(10))
    feed, late = feed_of(path), feed_of(path)
    dealt(feed, *[3] * steps)
    late.restore(json.loads(json.dumps(feed.state())))
    assert (late.epoch, late.position) == (feed.epoch, feed.position)
    assert dealt(late, *[3] * 6) == dealt(feed, *[3] * 6)


def test_rows_without_use_are_left_out_of_their_window(tmp_path):
    rows = [*numbered(5), {"wrong": 1}, {"prompt": "6"}, {"prompt": "7"}, {"wrong": 2}]
    feed = feed_of(file_of(tmp_path, rows), invalid="drop", order="file")
    assert dealt(feed, 4, 4, 4) == [[0, 1, 2, 3], [4, 6, 7], [0, 1, 2, 3]]
    with pytest.raises(DataError, match="rows.jsonl:6"):
        dealt(feed_of(file_of(tmp_path, rows)), 4, 4)


def test_a_window_that_is_smaller_than_a_batch_may_be_is_passed_over(tmp_path, caplog):
    feed = feed_of(file_of(tmp_path, numbered(9)), least=2, order="file")
    assert dealt(feed, 3, 3, 3, 3, 3)[:4] == [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3], [4, 5, 6, 7]]
    assert "rows from 9 on: left out, because a batch needs 2 records" in caplog.text


def test_changed_sources_are_noticed(tmp_path):
    path = file_of(tmp_path, numbered(10))
    feed = feed_of(path)
    dealt(feed, 4, 4)
    state = feed.state()
    file_of(tmp_path, [{"prompt": "7" if i == 6 else str(i)} for i in range(10)])
    changed = feed_of(path)
    assert changed.fingerprint == feed.fingerprint  # as long, and with the same first window
    with pytest.raises(DataError, match="the records have changed since the checkpoint"):
        changed.restore(state)
    assert feed_of(file_of(tmp_path, numbered(11))).fingerprint != feed.fingerprint
    assert feed_of(file_of(tmp_path, numbered(10)), window=5).fingerprint != feed.fingerprint
    with pytest.raises(ConfigError, match=r"saved without data\.stream"):
        changed.restore(8)
    with pytest.raises(ConfigError, match=r"set data\.window=4"):
        feed_of(path, window=5).restore(state)


def test_its_length_is_not_known(tmp_path):
    with pytest.raises(ConfigError, match=r"set train\.steps"):
        feed_of(file_of(tmp_path, numbered(3))).steps_per_epoch(2)
