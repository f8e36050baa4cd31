"""Notices are counted, and told once."""

import logging

from posttrain.data.notices import Notices


def test_each_notice_has_its_count_and_its_first_place():
    notices = Notices()
    for line in (3, 7, 9):
        notices.add("the column 'score' is not read", f"a.jsonl:{line}")
    notices.add("half")
    assert notices.lines() == ["the column 'score' is not read (3 rows, the first a.jsonl:3)", "half (1 row)"]


def test_warnings_come_once(caplog):
    notices = Notices()
    notices.add("x", "a:1")
    notices.add("x", "a:2")
    with caplog.at_level(logging.WARNING):
        notices.warn("a")
    assert [r.getMessage() for r in caplog.records] == ["a: x (2 rows, the first a:1)"]
