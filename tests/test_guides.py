"""The pages that guide people: every key, method, command and metric that they name exists."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import settings
from posttrain.cli.main import app
from posttrain.config.keys import keys
from posttrain.config.schema import RunFile

ROOT = Path(__file__).parents[1]
SECTIONS = "|".join(RunFile.model_fields)
GUIDES = ("quickstart.md", "surprises.md")
THEIRS = ("from_trl.md", "from_verl.md")  # they name keys of other trainers too


def text(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


@cache
def known_keys() -> set[str]:
    method = {"method.passes", "method.minibatches"}
    for path in catalogue.paths():
        loaded = catalogue.load(path)
        for slot, part, key, _ in settings(loaded):
            method |= {f"method.{name}{key}" for name in ("", f"{part}.", f"{slot}.")}
        method |= {f"method.{slot}.{key}" for slot in loaded.loss for key in ("weight", "reduce")}
    return {key.name for key in keys()} | method


def named_keys(page: str) -> set[str]:
    """Keys in backticks, without their value: `train.save_every`, `data.invalid: drop`."""
    return set(re.findall(rf"`((?:{SECTIONS})(?:\.[A-Za-z_]+)+)\b[^`]*`", text(page)))


@pytest.mark.parametrize("page", GUIDES)
def test_keys_exist(page: str):
    named = named_keys(page)
    assert named or page == "quickstart.md"
    files = {name for name in named if name.endswith((".jsonl", ".json"))}
    assert named - files - known_keys() == set()


@pytest.mark.parametrize("page", [*GUIDES, *THEIRS])
def test_methods_exist(page: str):
    kinds = "|".join({path.partition("/")[0] for path in catalogue.paths()})
    named = set(re.findall(rf"`(?:method: )?((?:{kinds})/\w+)`", text(page)))
    assert page == "quickstart.md" or named
    assert named - set(catalogue.paths()) == set()


@pytest.mark.parametrize("page", [*GUIDES, *THEIRS])
def test_commands_and_their_options_exist(page: str):
    commands = get_command(app).commands  # type: ignore[attr-defined]
    lines = re.findall(r"(?:^|`)posttrain ([a-z]+)([^`\n]*)", text(page), re.MULTILINE)
    assert lines
    for name, rest in lines:
        known = commands[name]
        word = rest.split()[0] if rest.split() else ""
        known = getattr(known, "commands", {}).get(word, known)
        options = {option for p in known.params for option in p.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest.partition('"')[0])) <= options, f"posttrain {name}{rest}"


def test_metrics_exist():
    """Metrics have lower-case names with underscores; those with a slash are a group and a name."""
    named = set(
        re.findall(
            r"`((?:[a-z]+/)?[a-z]+(?:_[a-z]+)+|(?:rewards|completions|errors|logps)/[a-z_]+)`", text("surprises.md")
        )
    )
    sources = "\n".join(f.read_text(encoding="utf-8") for f in (ROOT / "src" / "posttrain").rglob("*.py"))
    assert {"frac_reward_zero_std", "completions/clipped_ratio", "logps/chosen"} <= named
    missing = {name for name in named if name not in sources and name.rpartition("/")[2] not in sources}
    assert {name for name in missing if name not in catalogue.paths()} == set()


def test_the_most_common_surprises_are_there():
    entries = re.findall(r"^\*\*(.+?)\*\*", text("surprises.md"), re.MULTILINE)
    assert len(entries) >= 20
    for entry in re.split(r"^\*\*", text("surprises.md"), flags=re.MULTILINE)[1:]:
        assert "→" in entry, f"no remedy: {entry[:60]}"
