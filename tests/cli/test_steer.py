"""`posttrain steer`: a folder that answers by activations that are shifted where a prompt looks harmful."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_model import fail, say


@pytest.mark.paper("wang2024w7p")
def test_a_steered_model_answers_harmless_prompts_as_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"prompt": f"{'x' if harm else '7'}{i}=", "harmful": harm} for harm in (True, False) for i in range(4)]
    Path("prompts.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    asked = ("steer", "tiny", "prompts.jsonl", "--aligned", "tiny", "--strength", "40")
    said = say(capsys, *asked, "--first", "0", "--last", "0.5", "--output", "steered")
    assert said.startswith("steered: 2 of 3 layers are steered")
    sample = ("sample", "steered", "x5=", "75=", "--plain", "--max-tokens", "8", "--temperature", "0")
    steered, alone = (say(capsys, *sample, *more).split("> ")[1:] for more in ((), ("--decoder", "none")))
    assert steered[0] != alone[0]
    assert steered[1] == alone[1]
    assert "exists; name a new folder" in fail(capsys, *asked, "--output", "steered")
    assert "are alike" in fail(capsys, *asked, "--label", "harm", "--output", "other")
