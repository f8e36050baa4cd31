"""The examples of docs/feedback.md are read as the page says."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from posttrain.config.load import load as load_run_file
from posttrain.config.yaml_ import parse
from posttrain.data.feedback.act import Act, act_of
from posttrain.data.feedback.judgements import SIGNALS, type_of
from posttrain.data.feedback.read_judgement import TYPES, judgement_of
from posttrain.data.feedback.views import VIEWS

PAGE = (Path(__file__).parents[3] / "docs" / "feedback.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```json (\w+)\n(.*?)```", PAGE, re.S)
ACTS, JUDGEMENTS = (
    [json.loads(line) for of, block in BLOCKS if of == wanted for line in block.splitlines()]
    for wanted in ("act", "judgement")
)


def test_every_act_is_read():
    assert [act_of(row, "page").annotator for row in ACTS] == ["ann"]


def test_every_type_of_judgement_has_an_example():
    assert {type_of(judgement_of(row, 3)) for row in JUDGEMENTS} == set(TYPES)


def test_every_key_signal_and_view_is_described():
    keys = {f.name for f in fields(Act)} - {"id", "where"} | {"act", *SIGNALS}
    assert not [key for key in keys if f"`{key}`" not in PAGE]
    views = PAGE.partition("## What methods read")[2].partition("## Agreement")[0]
    assert set(re.findall(r"^\| (\w+) \|", views, re.M)) - {"kind"} == set(VIEWS)


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.S))
def test_every_setting_exists(block):
    run = {"model": "tiny", "method": "preference/dpo", **parse(block, "feedback.md").value}
    assert load_run_file(run).data["main"].path == "feedback.jsonl"


@pytest.mark.paper("kaufmann2023hlw")
def test_every_type_of_judgement_has_its_place_in_the_taxonomy():
    """Every class of feedback is a word of the glossary, and names the types that are of it."""
    words = PAGE.partition("## Words")[2]
    classes = dict(re.findall(r"^\| ([\w -]+?) \| (.*) \|$", words, re.M))
    taxonomy = {
        "comparative feedback": ("preference", "ranking"),
        "evaluative feedback": ("rating", "label", "safety"),
        "corrective feedback": ("edit",),
        "demonstration": (),
        "implicit feedback": ("signal",),
        "fine-grained feedback": ("spans", "key points", "regions"),
        "language feedback": ("critique",),
    }
    assert not [(name, of) for name, types in taxonomy.items() for of in types if of not in classes[name]]
    known = {of.replace(" ", "_") for types in taxonomy.values() for of in types} | {"demonstration", "skip"}
    assert known == set(TYPES)
