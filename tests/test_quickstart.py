"""docs/quickstart.md: its files are written and its commands run, on the embedded model and a few tokens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from posttrain.cli.main import main

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
# The page trains SmolLM2-135M; the embedded model has its place here.
SMALLER = {"smollm2": "tiny", "max_tokens: 32": "max_tokens: 4", "epochs: 3": "epochs: 1", "steps: 10": "steps: 1"}


def smaller(text: str) -> str:
    for ours, less in SMALLER.items():
        text = text.replace(ours, less)
    return text


def run(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    program, *arguments = shlex.split(smaller(line))
    assert program == "posttrain"
    arguments += ["--max-tokens", "4"] * (arguments[0] in ("sample", "eval"))
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    printed = capsys.readouterr()
    assert not stopped.value.code, f"{line}: {printed.err}"
    return printed.out


def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    printed: dict[str, str] = {}
    for kind, text in BLOCKS:
        if kind == "sh":
            printed |= {line: run(line, capsys) for line in text.splitlines()}
        else:
            name, body = re.fullmatch(r"# (\S+)\n(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
            Path(name).write_text(smaller(body), encoding="utf-8")
    assert "⟦Madrid." in printed["posttrain data show sft.jsonl --model smollm2"]
    for name in ("sft", "lora", "dpo", "grpo", "grpo-warm"):
        assert (tmp_path / "runs" / name / "final" / "model.safetensors").exists()
    assert (tmp_path / "exported" / "config.json").exists()


def test_the_page_has_blocks_of_every_kind():
    assert {kind for kind, _ in BLOCKS} == {"sh", "jsonl", "yaml", "python"}
    assert len([kind for kind, _ in BLOCKS if kind == "yaml"]) == 4
