"""Every setting of every formula has a type and one line that says what it does and which values are sane."""

from __future__ import annotations

import importlib
from collections import Counter

import pytest

from posttrain.catalogue.signature import documented
from tests.harness.settings import functions_of, modules_below, problems, settings_of

MODULES = modules_below("formulas")


@pytest.mark.parametrize("module", MODULES)
def test_every_setting_has_its_line(module: str) -> None:
    assert not [p for function in functions_of(importlib.import_module(module)) for p in problems(function)]


@pytest.mark.parametrize("name", ["decay", "kl_weight", "smoothing", "dropped"])
def test_a_setting_with_one_meaning_is_told_in_one_sentence(name: str) -> None:
    assert len(lines_of(name)) <= (2 if name == "smoothing" else 1)  # EXO needs a smoothing above 0


def test_the_beta_of_the_pair_losses_is_told_in_one_sentence() -> None:
    assert max(lines_of("beta").values()) >= 20


def lines_of(name: str) -> Counter[str]:
    """Every line that a setting of this name has somewhere."""
    functions = [f for module in MODULES for f in functions_of(importlib.import_module(module))]
    return Counter(documented(f)[name] for f in functions if name in settings_of(f))


def complete(x: float, *, rate: float = 1.0) -> float:
    """Rate times x.

    Settings:
        rate: factor of the number; any number.
    """
    return rate * x


def silent(x: float, *, rate: float = 1.0) -> float:
    """Rate times x."""
    return rate * x


def vague(x: float, *, rate: float = 1.0) -> float:
    """Rate times x.

    Settings:
        rate: factor of the number that comes in.
    """
    return rate * x


def stale(x: float, *, rate: float = 1.0) -> float:
    """Rate times x.

    Settings:
        rate: factor of the number; any number.
        offset: what is added to the product; any number.
    """
    return rate * x


def test_what_is_missing_is_noticed() -> None:
    assert not problems(complete)
    assert "has no line" in problems(silent)[0]
    assert "names no range" in problems(vague)[0]
    assert "offset" in problems(stale)[0]
