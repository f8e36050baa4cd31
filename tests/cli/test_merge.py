"""`posttrain merge`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from posttrain.cli import main as cli
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from tests.cli.test_model import say


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for factor, name in enumerate("ab", start=1):
        network, tokenizer = tiny_model()
        with torch.no_grad():
            for p in network.trunk.parameters():
                p.mul_(factor)
        save(network, tokenizer, tmp_path / name)
    return tmp_path


def test_options_reach_the_merge(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, out = (str(models / name) for name in ("a", "b", "out"))
    options = ("--method", "ties", "--set", "density=1.0", "--base", a, "--share", "0.5", "--weights", "1,3")
    assert say(capsys, "merge", a, b, *options, "--out", out).split() == [out]
    one, found = (load_file(Path(p, "model.safetensors")) for p in (a, out))
    torch.testing.assert_close(found, {n: 1.5 * x for n, x in one.items()})  # b is twice a, so a agrees with nothing


def test_blocks_of_layers(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, out = (str(models / name) for name in ("a", "b", "out"))
    say(capsys, "merge", a, b, "--weights", "1,0/0,1", "--out", out)
    one, found = (load_file(Path(p, "model.safetensors")) for p in (a, out))
    name = "model.layers.{}.mlp.up_proj.weight"
    torch.testing.assert_close(found[name.format(0)], one[name.format(0)])
    torch.testing.assert_close(found[name.format(2)], 2 * one[name.format(2)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "--out", "x"], "give two models or more"),
        (["a", "b", "--weights", "1;2", "--out", "x"], "--weights 1;2: write numbers"),
        (["a", "b", "--method", "slurp", "--out", "x"], "did you mean 'slerp'?"),
    ],
)
def test_errors_name_the_remedy(
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(models)
    with pytest.raises(SystemExit):
        cli.main(["merge", *(f"./{a}" if a in "abx" else a for a in arguments)])
    assert message in capsys.readouterr().err
