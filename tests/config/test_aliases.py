"""Names of other trainers: each stands for a key that exists, or says what to do instead."""

from __future__ import annotations

import re

import pytest

from posttrain.config.aliases import ALIASES, REMEDIES, alias
from posttrain.config.outline import field_at, kind_at, section


@pytest.mark.parametrize(("name", "target"), ALIASES.items())
def test_an_alias_stands_for_a_key(name: str, target: str) -> None:
    assert field_at(target.split(".")) or section(kind_at(target.split("."))), target
    assert alias(name.split(".")) == tuple(target.split("."))
    assert alias(target.split(".")) is None


@pytest.mark.parametrize(("name", "remedy"), REMEDIES.items())
def test_a_remedy_names_keys_that_exist(name: str, remedy: str) -> None:
    assert name not in ALIASES
    sections = "model|models|data|sampling|train|evaluate|scoring"
    for key in re.findall(rf"\b(?:{sections})(?:\.\w+)+", remedy):
        assert field_at(key.split(".")), key


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("train.lr", "train.learning_rate"),
        ("model.lora.r", "model.lora.rank"),
        ("models.critic.lora.r", "models.critic.lora.rank"),
        ("lora.r", "model.lora.rank"),
        ("sampling.lr", None),
        ("models.lora", None),
        ("train.learning_rate", None),
    ],
)
def test_a_name_inside_a_section_stands_for_keys_of_that_section(name: str, target: str | None) -> None:
    found = alias(name.split("."))
    assert (found and ".".join(found)) == target
