"""The examples of CONTRIBUTING.md, each written to its file and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from posttrain.core import kinds
from posttrain.core.method import Method, Stream, Term
from posttrain.core.parts import Part
from posttrain.core.rows import Rows
from posttrain.data.dataset import load
from posttrain.evaluation.compare.grid import compare
from posttrain.formulas.losses.scores import log_ratio  # noqa: F401 -- the examples import it
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.models import outputs
from posttrain.models.outputs.output import output
from posttrain.records import Episode, Prompt
from posttrain.rewards.reward import resolve
from posttrain.rewards.scorer import Scorer
from tests.harness.runs import SUMS, run

ROOT = Path(__file__).parents[1]
BLOCKS = dict(
    re.findall(r"```python\n# (\S+\.py)\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
)


@pytest.fixture
def example(tmp_path: Path):
    """Write an example into a folder and return its path."""

    def write(name: str) -> Path:
        file = tmp_path / Path(name).name
        file.write_text(BLOCKS[name], encoding="utf-8")
        return file

    return write


def test_every_kind_of_contribution_has_an_example() -> None:
    assert set(BLOCKS) == {
        "mine.py",
        "test_mine.py",
        "brevity.py",
        "imitate_best.py",
        "digits.py",
        "src/posttrain/models/outputs/state_norm.py",
        "src/posttrain/data/kinds/edits.py",
    }


def test_a_loss_and_its_test(example, tmp_path: Path) -> None:
    file, own = example("mine.py"), example("test_mine.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(own)]
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}:{ROOT / 'src'}"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    (tmp_path / "pairs.jsonl").write_text(
        "".join(json.dumps({"prompt": f"{i}+1=", "chosen": str(i + 1), "rejected": "7"}) + "\n" for i in range(4))
    )
    content = {"model": "tiny", "method": str(file), "data": str(tmp_path / "pairs.jsonl")}
    assert run(content, tmp_path / "run", "train.steps=1").metrics["loss"] == pytest.approx(0.598, abs=1e-3)


def test_a_reward(example) -> None:
    reward = resolve({"path": f"{example('brevity.py')}:brevity", "limit": 10})
    texts = ["12345", "", "1234567890123"]
    asked = [Episode.of_answer(Prompt(0, "?"), 0, k, (1,), (2,), (0.0,), True, t) for k, t in enumerate(texts)]
    with Scorer([reward]) as scorer:
        assert [e.reward for e in scorer.score(asked)] == [0.5, None, 0.0]


def test_a_procedure(example, tmp_path: Path) -> None:
    content = {
        "model": "tiny",
        "procedure": {"path": str(example("imitate_best.py")), "rounds": 2, "samples": 2},
        "data": {"prompts": f"{SUMS},size=4"},
        "rewards": ["math_answer"],
    }
    result = run(content, tmp_path / "run", "sampling.max_tokens=3", "train.prompts_per_step=4")
    assert len((result.directory / "metrics.jsonl").read_text().splitlines()) == 2
    assert sorted(f.name for f in (result.directory / "rounds").iterdir()) == ["round-1.jsonl", "round-2.jsonl"]


def test_a_task(example, tmp_path: Path) -> None:
    found = compare(["preference/dpo"], str(example("digits.py")), seeds=1, output=tmp_path / "runs")
    before, after = found.curves["dpo"][0]
    assert before == {"step": 0.0, "distance": 0.0, "margin": 0.0}
    assert after["margin"] > 0


def test_a_model_output(example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.models.tiny import network

    example("src/posttrain/models/outputs/state_norm.py")
    monkeypatch.setattr(outputs, "__path__", [*outputs.__path__, str(tmp_path)])
    net, tokens = network(), torch.arange(3, 8)
    rows = Rows(torch.zeros(5, dtype=torch.long), torch.ones(5, dtype=torch.bool), 1)
    found = net.outputs(tokens, rows, ["state_norm", "hidden"])
    torch.testing.assert_close(found["state_norm"], found["hidden"].float().norm(dim=-1))
    assert output("state_norm").axes == "T"
    output.cache_clear()


def test_a_kind_of_record(example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import posttrain.data.kinds as folder

    example("src/posttrain/data/kinds/edits.py")
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    file = tmp_path / "edits.jsonl"
    file.write_text(json.dumps({"prompt": "1+1=", "draft": "3", "edit": "2"}) + "\n")
    assert kinds.guess(["prompt", "draft", "edit"]).name in ("edits", "prompts")
    (record,) = load(str(file), "edits")
    assert (record.draft, record.edit) == ("3", "2")
    loss = SFT.loss["loss"]
    assert isinstance(loss.part, Part)
    (tmp_path / "learn.py").write_text(
        "from posttrain.core.method import variant, Stream\n"
        "from posttrain.methods.imitation.sft import METHOD as SFT\n"
        'METHOD = variant(SFT, name="learn", streams={"main": Stream("edits")})\n'
    )
    method = Method(name="learn", streams=Stream("edits"), loss=Term(loss.part, reduce=loss.reduce))
    assert method.streams["main"].kind.columns == "prompt, draft and edit"
    content = {"model": "tiny", "method": str(tmp_path / "learn.py"), "data": str(file)}
    assert run(content, tmp_path / "run", "train.steps=1").metrics["num_tokens"] == len("1+1=\n3\n2") + 1
    kinds.kind.cache_clear()
