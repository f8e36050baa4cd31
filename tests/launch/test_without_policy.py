"""Runs without a policy: they need no model and no data, and end with an artefact."""

from __future__ import annotations

import json

import pytest
import yaml
from typer.testing import CliRunner

import posttrain
from posttrain.cli.main import app
from posttrain.config.load import load
from posttrain.errors import ConfigError
from tests.harness.runs import run

MINE = '''
"""Asks."""


def mine(session, *, policy: bool = False):
    """Ask."""
    from posttrain.learners.speaker import Question

    speaker = session.speaker("speaker")
    if policy:
        session.collect("round", [], session.sampling())
    (answer,) = speaker.answer([Question("Left or right?", ("left", "right"), "right")])
    session.artefact("policy", {"answer": answer})
    return {"return": 1.0}
'''
SCRIPT = {"speaker": {"scripted": {"accuracy": 1.0}}}


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    return {"procedure": f"{tmp_path}/mine.py", "models": SCRIPT, "name": "run"}


def test_a_run_ends_with_its_artefact(mine, tmp_path):
    made = run(mine, tmp_path)
    assert made.model is None
    assert made.models == {}
    assert made.metrics == {"return": 1.0}
    assert json.loads(made.artefacts["policy"].read_text()) == {"answer": "right"}
    assert "path: none" in (made.directory / "config.yaml").read_text()
    again = run(mine, tmp_path, resume=True)
    assert again.metrics == {"return": 1.0}
    assert [*again.artefacts] == ["policy"]
    assert not (made.directory / "final").exists()


def test_a_name_without_a_model(mine, tmp_path):
    del mine["name"]
    assert run(mine, tmp_path).directory.name.startswith("mine-")
    assert "none" not in run(mine, tmp_path).directory.name


def test_the_command_names_the_artefact_and_no_model(mine, tmp_path):
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({**mine, "output": str(tmp_path)}))
    shown = CliRunner().invoke(app, ["train", str(tmp_path / "run.yaml")]).output.splitlines()
    assert f"policy   {tmp_path / 'run' / 'artefacts' / 'policy.json'}" in shown
    assert not [line for line in shown if line.startswith("model ")]


def test_from_python(mine, tmp_path):
    made = posttrain.train(**mine, output=tmp_path, display=None)
    assert made.metrics == {"return": 1.0}


def test_what_needs_the_policy_says_so(mine, tmp_path):
    with pytest.raises(ConfigError, match=r"procedure: .*mine.py needs the policy, and this run has none; add model"):
        run({**mine, "procedure": {"path": mine["procedure"], "policy": True}}, tmp_path)
    with pytest.raises(ConfigError, match=r"models.speaker: shares the weights of the policy"):
        run({**mine, "models": {"speaker": "policy"}}, tmp_path)


def test_a_procedure_that_reads_data_still_needs_them(tmp_path):
    with pytest.raises(ConfigError, match="raft reads prompts; prompts is missing"):
        run({"procedure": "raft"}, tmp_path)
    with pytest.raises(ConfigError, match="raft reads prompts; prompts is missing"):
        run({"model": "tiny", "procedure": "raft"}, tmp_path)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"method": "grpo", "data": "d"}, "model is missing"),
        ({"model": "none", "method": "grpo", "data": "d"}, "model is missing"),
        ({"procedure": "raft", "evaluate": {"data": "d"}}, "model is missing"),
        ({"model": "m", "method": "grpo", "data": "d", "models": SCRIPT}, "only a procedure asks a speaker"),
        ({"procedure": "p", "models": {"speaker": {"path": "m", **SCRIPT["speaker"]}}}, "scripted stands in"),
        ({"procedure": "p", "models": {"speaker": {"scripted": {"accuracy": 2}}}}, "accuracy"),
    ],
)
def test_run_files_that_cannot_be(given, problem):
    with pytest.raises(ConfigError, match=problem):
        load(given)


def test_a_text_model_speaks_in_a_run_without_policy(mine, tmp_path):
    made = run({**mine, "models": {"speaker": "tiny"}}, tmp_path)
    assert json.loads(made.artefacts["policy"].read_text())["answer"] in ("left", "right")
    kept = (made.directory / "kept" / "speaker-speaker.jsonl").read_text().splitlines()
    assert len(kept) == 2  # what the file is, and one reply
