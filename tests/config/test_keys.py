"""The reference of keys: every key once, with its type, default and meaning in words."""

from __future__ import annotations

import pytest

from posttrain.config import load
from posttrain.config.keys import Key, keys, owner_of
from posttrain.config.outline import fields
from posttrain.config.schema import Data, RewardRef, RoleModel, RunFile, Train
from posttrain.config.yaml_ import parse_value
from posttrain.errors import ConfigError


def key(name: str) -> Key:
    (found,) = (k for k in keys(name) if k.name == name)
    return found


@pytest.mark.parametrize(
    ("name", "type_", "default"),
    [
        ("train", "mapping", ""),
        ("model", "path or mapping", "required"),
        ("model.lora", "mapping or null", "null"),
        ("method", "path, mapping or null", "null"),
        ("train.steps", "whole number > 0 or null", "null"),
        ("train.weight_decay", "number >= 0", "0.0"),
        ("train.warmup", "whole number >= 0 or number in [0, 1)", "0"),
        ("train.betas", "list of 2, each a number in [0, 1)", "[0.9, 0.999]"),
        ("train.learning_rate", "number > 0, mapping role -> number > 0 or null", "null"),
        (
            "train.rollout_correction",
            "none, tis, icepop, sequence_tis, sequence_mis, geometric_mask, opsm or null",
            "null",
        ),
        ("sampling.top_p", "number in (0, 1]", "1.0"),
        ("model.dtype", "auto, float32, bfloat16 or float64", "auto"),
        ("model.lora.targets", "list of texts or null", "null"),
        ("models", "mapping role -> model", "{}"),
        ("models.ROLE.path", "text", "''"),
        ("models.ROLE.endpoint", "mapping or null", "null"),
        ("models.ROLE.lora.rank", "whole number > 0", "16"),
        ("data", "mapping stream -> data source", "{}"),
        ("data.columns", "mapping our column -> column of the file or list of columns", "{}"),
        ("data.chat", "true or false", "false"),
        ("rewards", "list of rewards", "[]"),
        ("rewards.N.weight", "number", "1.0"),
        ("data.mix.N.path", "text", "required"),
        ("output", "path", "runs"),
    ],
)
def test_types_and_defaults_in_words(name: str, type_: str, default: str) -> None:
    assert (key(name).type, key(name).default) == (type_, default)


def test_every_key_is_there_once_with_a_sentence() -> None:
    names = [k.name for k in keys()]
    assert names == [name for name, _ in fields()]
    assert len(set(names)) == len(names)
    assert not [k.name for k in keys() if len(k.meaning) < 20 or not k.meaning.endswith(".") or "\n" in k.meaning]


def test_defaults_are_what_a_run_has() -> None:
    run = load({"model": "m", "method": "x", "data": "d", "evaluate": {"data": "e"}})
    for k in (k for k in keys("train.") if "." not in k.name.removeprefix("train.")):  # privacy is null
        written = parse_value(k.default, "default")
        value = getattr(run.train, k.name.removeprefix("train."))
        assert written == (list(value) if isinstance(value, tuple) else value), k.name


def test_a_prefix_names_a_section_a_key_or_the_beginning_of_one() -> None:
    assert [k.name for k in keys("train.keep")] == ["train.keep"]
    assert [k.name for k in keys("train.keep_")] == ["train.keep_every"]
    assert {k.name for k in keys("model")} >= {"model", "model.lora.rank"}
    assert "models" not in {k.name for k in keys("model")}
    assert {k.section for k in keys("sampling.")} == {"sampling"}


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("trian", "did you mean 'train'"),
        ("max_steps", "is called 'train.steps' here"),
        ("lora.r", "is called 'model.lora.rank' here"),
        ("packing", "rows always lie end to end"),
    ],
)
def test_a_prefix_of_nothing_is_an_error_with_a_suggestion(prefix: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        keys(prefix)


def test_the_owner_of_a_section() -> None:
    assert [owner_of(name) for name in ("", "train", "data", "evaluate.data", "rewards.N", "models.ROLE")] == [
        RunFile,
        Train,
        Data,
        Data,
        RewardRef,
        RoleModel,
    ]
