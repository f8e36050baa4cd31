"""The caller that knows the place of an error puts it in front of the message."""

from __future__ import annotations

import pytest

from posttrain.data.error_context import errors_at
from posttrain.errors import ConfigError, DataError, ModelError


@pytest.mark.parametrize("kind", [DataError, ModelError])
def test_the_place_is_put_in_front_and_the_kind_and_the_cause_stay(kind):
    cause = ValueError("why")
    with pytest.raises(kind, match=r"^file:3: 'x' is empty$") as caught, errors_at("file:3"):
        raise kind("'x' is empty") from cause
    assert type(caught.value) is kind
    assert caught.value.__cause__ is cause


def test_places_nest_and_an_unknown_place_adds_nothing():
    with pytest.raises(DataError, match=r"^file:3: column 'x': empty$"), errors_at("file:3"), errors_at("column 'x'"):
        raise DataError("empty")
    with pytest.raises(DataError, match=r"^empty$"), errors_at(""):
        raise DataError("empty")


@pytest.mark.parametrize("error", [ConfigError("setting"), KeyError("x")])
def test_other_errors_pass_as_they_are(error):
    with pytest.raises(type(error)) as caught, errors_at("file:3"):
        raise error
    assert caught.value is error
