"""Whose signature a function has, and what it reads of the data."""

from __future__ import annotations

import pytest
from trl.rewards import accuracy_reward, get_soft_overlong_punishment, think_format_reward

from posttrain.errors import ConfigError, DataError
from posttrain.rewards.reads import read
from posttrain.rewards.reward import Reward, check_columns


def ours(completions, answer, hint=None, *, limit=3): ...
def typed(completions: list[str], completion_ids): ...
def trls(prompts, completions, completion_ids=None, trainer_state=None, log_extra=None, log_metric=None, **kwargs): ...
def annotated(completions: list[list[dict[str, str]]], answer): ...
def verls(data_source, solution_str, ground_truth, extra_info=None): ...
def batched(data_sources, solution_strs, ground_truths, extra_infos, strict=True): ...


@pytest.mark.parametrize(
    ("function", "form"),
    [
        (ours, "texts"),
        (typed, "texts"),
        (trls, "trl"),
        (annotated, "trl"),
        (accuracy_reward, "trl"),
        (think_format_reward, "trl"),
        (get_soft_overlong_punishment(10, 2), "trl"),
        (verls, "verl"),
        (batched, "verl"),
    ],
)
def test_the_form_is_what_the_signature_declares(function, form):
    assert read("f", function).form == form
    assert read("f", ours, form="trl").form == "trl"


def test_an_unknown_form_is_an_error():
    with pytest.raises(ConfigError, match="signature is 'TRL'; there are texts, trl, verl"):
        read("f", ours, form="TRL")


def test_columns_settings_and_extras():
    reads = read("f", ours)
    assert (reads.required, reads.optional, reads.settings) == (("answer",), ("hint",), ("limit",))
    assert (read("f", ours, ["answer"]).required, read("f", ours, ["answer"]).settings) == ((), ("answer", "limit"))
    assert read("f", trls).extras == ("trainer_state", "log_extra", "log_metric")
    assert (read("f", trls).tokens, read("f", typed).tokens, reads.tokens) == (True, True, False)
    assert not read("f", trls).chooses("log_metric")
    assert read("f", trls).chooses("anything")


def test_verls_columns():
    reads = read("f", verls)
    assert (reads.required, reads.optional) == (("data_source", "ground_truth"), ("extra_info",))
    assert reads.missing(["data_source", "reward_model"]) == []
    assert reads.missing(["data_source", "answer"]) == ["ground_truth"]
    assert read("f", verls, ["data_source"]).required == ("ground_truth",)
    assert (read("f", batched).batched, read("f", batched).settings) == (True, ("strict",))


def test_a_missing_column_names_those_that_exist():
    rewards = [Reward("fine", lambda completions: []), Reward("ours", ours)]
    check_columns(rewards, {"answer"}, "data.jsonl")
    said = r"data.jsonl: 'answer' is missing; reward 'ours' reads it.*Columns: level, x; .*answer: ITS_NAME"
    with pytest.raises(DataError, match=said):
        check_columns(rewards, {"x", "level"}, "data.jsonl")
