"""The keys of a run file that may change when a run is resumed, and those that decide what is trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from posttrain.config.load import load, resolved
from posttrain.runs.changes import flattened
from posttrain.runs.decisive import FREE, is_free, settings_of

CONTENT: dict[str, Any] = {"model": "tiny", "method": "imitation/sft", "data": "a.jsonl"}
GUIDE = Path(__file__).parents[2] / "docs" / "runs.md"


def of(**keys: Any) -> str:
    return settings_of(resolved(load({**CONTENT, **keys})))


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "x", "output": "y", "device": "cpu"},
        {"evaluate": {"data": "b.jsonl"}},
        {"evaluate": {"data": "b.jsonl"}, "gates": {"reward": "> 0"}},
        {"report": ["tensorboard"]},
        {"scoring": {"workers": 1}},
        {"train": {"save_every": 3, "keep": 1, "log_every": 2, "samples_every": 7, "max_seconds": 9}},
    ],
)
def test_what_is_written_and_measured_decides_nothing(changed: dict[str, Any]) -> None:
    assert of(**changed) == of()


@pytest.mark.parametrize("changed", [{"seed": 1}, {"train": {"steps": 3}}, {"train": {"betas": [0.9, 0.95]}}])
def test_what_is_trained_decides(changed: dict[str, Any]) -> None:
    assert of(**changed) != of()


def test_every_free_key_is_a_key_and_stands_in_the_guide() -> None:
    keys = flattened(
        resolved(
            load({**CONTENT, "environment": "search", "gates": {"reward": "> 0"}, "evaluate": {"data": "b.jsonl"}})
        )
    )
    text = GUIDE.read_text(encoding="utf-8")
    for free in FREE:
        assert any(is_free(key) and (key == free or key.startswith(f"{free}.")) for key in keys), free
        assert re.search(rf"`{free.rpartition('.')[2]}`|`{re.escape(free)}`", text), free
