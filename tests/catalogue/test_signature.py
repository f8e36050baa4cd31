"""What a function takes, and how a person learns what is wrong with what was given."""

from __future__ import annotations

from typing import Literal

import pytest

from posttrain.catalogue.signature import Signature, documented
from posttrain.errors import ConfigError


def example(session, prompts, pairs=None, *, rounds: int = 3, rule: Literal["a", "b"], rate: float | None = None):
    """Do it.

        y = x

    Settings:
        rounds: number of rounds; at least 1.
        rule: which rule; a or b.

    rate: not a line of the block.
    """


def test_positional_parameters_are_data_and_the_others_settings():
    signature = Signature(example, own=("session",))
    assert {n: p.required for n, p in signature.data.items()} == {"prompts": True, "pairs": False}
    assert {n: (p.default, p.required) for n, p in signature.settings.items()} == {
        "rounds": (3, False),
        "rule": (None, True),
        "rate": (None, False),
    }


def test_a_setting_has_its_line():
    assert documented(example) == {"rounds": "number of rounds; at least 1.", "rule": "which rule; a or b."}
    assert Signature(example).settings["rule"].doc == "which rule; a or b."
    assert documented(test_a_setting_has_its_line) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"round": 2}, r"it\.round: unknown setting \(did you mean 'rounds'\?\); settings rounds, rule, rate"),
        ({"rounds": "two"}, r"it\.rounds: 'two': .*integer"),
        ({"rule": "c"}, r"it\.rule: 'c': .*'a' or 'b'"),
        ({"rounds": True}, r"it\.rounds: True"),
    ],
)
def test_what_does_not_fit_is_named(given, message):
    with pytest.raises(ConfigError, match=message):
        Signature(example).check(given, "it")


def test_what_fits_passes_and_what_is_missing_is_listed():
    signature = Signature(example)
    signature.check({"rounds": 2, "rule": "a", "rate": None}, "it")
    signature.check({"rate": 1e-3}, "it")
    assert signature.missing({"rounds": 2}) == ["rule"]
    assert signature.missing({"rule": "a"}) == []


def test_data_is_checked_by_its_names():
    signature = Signature(example, own=("session",))
    signature.check_data(["prompts"], "it")
    with pytest.raises(ConfigError, match="data: it reads prompts, pairs; prompts is missing"):
        signature.check_data([], "it")
    with pytest.raises(ConfigError, match=r"data: it does not read 'pair' \(did you mean 'pairs'\?\)"):
        signature.check_data(["prompts", "pair"], "it")
