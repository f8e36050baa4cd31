"""What JSON lacks reaches a worker as it was, and nothing is unpickled."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from posttrain.rewards.workers.framing import pack, read, unpack

VALUES = [
    b"\x00\xff",
    bytearray(b"x"),
    datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=UTC),
    datetime(2024, 5, 6),
    date(2024, 5, 6),
    time(1, 2, 3),
    timedelta(days=-1, microseconds=5),
    Decimal("0.10"),
    Fraction(1, 3),
    UUID(int=7),
    {1, 2},
    frozenset({("a", 1)}),
    {"nested": [Decimal("NaN").copy_abs() if False else Decimal(2)]},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_a_value_arrives_as_what_it_was(value):
    arrived = read(io.BytesIO(pack({"x": [value]})))["x"][0]
    assert (arrived, type(arrived)) == (value, type(value))


def test_arrays_and_paths_arrive_as_what_json_has():
    packed = pack({"x": np.arange(2), "t": np.datetime64("2024-05-06"), "p": Path("/a")})
    assert read(io.BytesIO(packed)) == {"x": [0, 1], "t": date(2024, 5, 6), "p": "/a"}


def test_a_worker_cannot_make_objects_here():
    assert unpack(bytearray(pack({"x": b"1"}))) == {"x": {"\0posttrain": ["bytes", "MQ=="]}}


@pytest.mark.parametrize("text", [{"\0posttrain": ["bytes", "MQ=="]}, "\0posttrain"])
def test_data_that_looks_like_a_tag_is_refused(text):
    with pytest.raises(ValueError, match="meaning of its own"):
        pack({"x": text})
