"""`posttrain export`: folders, GGUF files, the hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from posttrain.cli import main as cli
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from tests.cli.test_model import say


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(*tiny_model(), tmp_path / "model")
    return tmp_path / "model"


def test_export_writes_a_folder_that_transformers_opens(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from transformers import AutoModelForCausalLM

    say(capsys, "export", str(folder), str(tmp_path / "out"))
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").config.vocab_size == 263


@pytest.mark.parametrize(("option", "expected"), [(None, "bfloat16"), ("float16", "float16"), ("float64", "float64")])
def test_export_keeps_the_dtype_of_the_files_or_takes_another(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str | None, expected: str
) -> None:
    from safetensors.torch import load_file

    say(capsys, "export", str(folder), str(tmp_path / "narrow"), "--dtype", "bfloat16")
    say(capsys, "export", str(tmp_path / "narrow"), str(tmp_path / "out"), *(["--dtype", option] if option else []))
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == expected
    narrow, out = (load_file(tmp_path / name / "model.safetensors") for name in ("narrow", "out"))
    assert {str(x.dtype) for x in out.values()} == {f"torch.{expected}"}
    assert all(torch.equal(out[name], narrow[name].to(out[name].dtype)) for name in narrow)


def test_export_to_a_gguf_file_and_to_the_hub(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gguf")
    from posttrain.models.loading import push

    pushed = []

    def upload(source: Path, name: str, *, public: bool) -> str:
        pushed.append((sorted(p.name for p in source.iterdir()), name, public))
        return "address"

    monkeypatch.setattr(push, "push", upload)
    (folder / "README.md").write_text("# A card")
    out = say(capsys, "export", str(folder), "--gguf", str(tmp_path / "new" / "m.gguf"), "--push", "me/m")
    assert out.split() == [str(tmp_path / "new" / "m.gguf"), "address"]
    assert (tmp_path / "new" / "m.gguf").read_bytes()[:4] == b"GGUF"
    ((files, name, public),) = pushed
    assert (name, public) == ("me/m", False)
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= set(files)


def test_export_needs_a_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["export", str(folder)])
    assert caught.value.code == 2
    assert "give a folder, --gguf FILE or --push owner/name" in " ".join(capsys.readouterr().err.split())
