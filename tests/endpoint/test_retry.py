"""Pauses: doubling, jittered by the request alone, at least what the server asks and at most the longest."""

from datetime import UTC, datetime

import pytest

from posttrain.endpoint.endpoint import Endpoint
from posttrain.endpoint.retry import pause, retry_after

ENDPOINT = Endpoint.of({"model": "m", "pause": 2.0, "longest_pause": 30.0})
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def test_pauses_double_and_spread_over_the_upper_half():
    for attempt in (1, 2, 3, 4):
        found = [pause(ENDPOINT, f"request {k}", attempt, None) for k in range(2000)]
        longest = 2.0 * 2 ** (attempt - 1)
        assert all(longest / 2 <= seconds < longest for seconds in found)
        assert sum(found) / 2000 == pytest.approx(0.75 * longest, rel=0.02)


def test_a_pause_depends_on_the_request_and_the_attempt_alone():
    assert pause(ENDPOINT, "a", 1, None) == pause(ENDPOINT, "a", 1, None) != pause(ENDPOINT, "b", 1, None)
    assert pause(ENDPOINT, "a", 2, None) != 2 * pause(ENDPOINT, "a", 1, None)


@pytest.mark.fault("J1")
def test_between_what_the_server_asks_and_the_longest():
    assert pause(ENDPOINT, "a", 1, 9.0) == 9.0
    assert pause(ENDPOINT, "a", 1, 1e9) == 30.0
    assert pause(ENDPOINT, "a", 10**6, None) == 30.0


@pytest.mark.fault("J1")
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 13:00:30 +0100", 30.0),
        ("Sat, 21 Nov 2026 11:59:00 GMT", None),
        ("0", None),
        ("-3", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_two_forms_of_retry_after(header, seconds):
    assert retry_after({"retry-after": header}, NOW) == seconds


def test_no_header_asks_for_nothing():
    assert retry_after({}, NOW) is None
