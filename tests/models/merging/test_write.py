"""Folders of models become one folder that plain transformers opens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from posttrain.errors import ConfigError, ModelError, StorageError
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.merging.folder import folder_of
from posttrain.models.merging.merge import Merge
from posttrain.models.merging.write import merge_folders

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models that differ in every weight, each with a head."""
    root = tmp_path_factory.mktemp("models")
    for seed, name in enumerate("abc"):
        network, tokenizer = tiny_model()
        network.add_head("value", seed)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for p in network.trunk.parameters():
                p.add_(torch.randn(p.shape, generator=generator) * 0.01)
        save(network, tokenizer, root / name)
    return root


def merged(models: Path, out: Path, merge: Merge, *, base: str | None = None, names: str = "ab", **options) -> None:
    folders = [folder_of(str(models / n)) for n in names]
    merge_folders(folders, merge, out, base=None if base is None else folder_of(str(models / base)), **options)


def test_it_equals_plain_arithmetic_in_plain_transformers(models, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    merged(models, tmp_path / "out", Merge("linear", (0.25, 0.75)))
    a, b, out = (AutoModelForCausalLM.from_pretrained(p) for p in (models / "a", models / "b", tmp_path / "out"))
    state = [m.state_dict() for m in (a, b, out)]
    for name, found in state[2].items():
        torch.testing.assert_close(found, 0.25 * state[0][name] + 0.75 * state[1][name], rtol=0, atol=3e-7)
    own = [AutoTokenizer.from_pretrained(p) for p in (models / "a", tmp_path / "out")]
    assert own[0].chat_template == own[1].chat_template
    for file in ("config.json", "generation_config.json", "tokenizer.json", "chat_template.jinja"):
        assert (tmp_path / "out" / file).read_bytes() == (models / "a" / file).read_bytes()


def test_heads_are_merged_and_the_origin_is_kept(models, tmp_path):
    merged(models, tmp_path / "out", Merge("ties", settings={"density": 0.5}), base="c", version="9.9")
    heads = [load_file(p / "value_head.safetensors")["weight"] for p in (models / "a", models / "b", tmp_path / "out")]
    assert not any(torch.equal(heads[2], h) for h in heads[:2])
    said = json.loads((tmp_path / "out" / "merge.json").read_text())
    assert said["merge"]["rule"] == "ties"
    assert said["merge"]["settings"] == {"density": 0.5}
    assert [m["name"] for m in said["models"]] == [str(models / n) for n in "ab"]
    assert set(said["base"]["xxh3"]) == {WEIGHTS, "value_head.safetensors"}
    assert said["posttrain"] == "9.9"


def test_files_in_several_parts_stay_in_parts(models, tmp_path):
    for name in "ab":
        parted(models / name, tmp_path / name)
    merged(tmp_path, tmp_path / "out", Merge())
    merged(models, tmp_path / "whole", Merge())
    found = load_file(tmp_path / "out" / "one.safetensors") | load_file(tmp_path / "out" / "two.safetensors")
    whole = load_file(tmp_path / "whole" / WEIGHTS)
    assert found.keys() == whole.keys()
    assert all(torch.equal(found[n], whole[n]) for n in whole)


def parted(model: Path, folder: Path) -> None:
    """Write a model in two files, as large models are."""
    folder.mkdir()
    (folder / "config.json").write_bytes((model / "config.json").read_bytes())
    tensors = load_file(model / WEIGHTS)
    names = sorted(tensors)
    files = {n: "one.safetensors" if n in names[: len(names) // 2] else "two.safetensors" for n in names}
    for file in set(files.values()):
        save_file({n: tensors[n] for n in names if files[n] == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))


def test_another_dtype_is_written_and_named(models, tmp_path):
    merged(models, tmp_path / "out", Merge(), dtype=torch.bfloat16)
    assert {x.dtype for x in load_file(tmp_path / "out" / WEIGHTS).values()} == {torch.bfloat16}
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "bfloat16"


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("config.json", {"architectures": ["GPT2LMHeadModel"]}, "only models of one architecture"),
        ("config.json", {"tie_word_embeddings": "other"}, "one matrix as embedding and last layer"),
        ("config.json", {"quantization_config": {}}, "quantised"),
        ("tokenizer.json", {"added_tokens": [{"content": "<new>", "id": 9}]}, r"'<new>' is missing in one and 9"),
    ],
)
def test_models_that_are_not_alike_are_refused(models, tmp_path, file, change, message):
    copied(models, tmp_path)
    content = json.loads((tmp_path / "b" / file).read_text())
    if change.get("tie_word_embeddings"):
        change = {"tie_word_embeddings": not content["tie_word_embeddings"]}
    added = [*content.get("added_tokens", []), *change.get("added_tokens", [])]
    (tmp_path / "b" / file).write_text(json.dumps(content | change | ({"added_tokens": added} if added else {})))
    with pytest.raises(ModelError, match=message):
        merged(tmp_path, tmp_path / "out", Merge())
    assert not (tmp_path / "out").exists()


def copied(models: Path, folder: Path) -> None:
    import shutil

    for name in "ab":
        shutil.copytree(models / name, folder / name)


def test_other_shapes_and_missing_heads_are_named(models, tmp_path):
    copied(models, tmp_path)
    (tmp_path / "b" / "value_head.safetensors").unlink()
    with pytest.raises(ModelError, match=r"a has the head value_head and the other model has not"):
        merged(tmp_path, tmp_path / "out", Merge())
    (tmp_path / "a" / "value_head.safetensors").unlink()
    tensors = load_file(tmp_path / "b" / WEIGHTS)
    first = min(tensors)
    save_file(tensors | {first: torch.zeros(3)}, tmp_path / "b" / WEIGHTS)
    with pytest.raises(ModelError, match=rf"{first} is \[.*\] in .*a and \[3\] in"):
        merged(tmp_path, tmp_path / "out", Merge())


def test_nothing_is_overwritten_and_nothing_is_half_written(models, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(StorageError, match="not empty; give a new folder"):
        merged(models, tmp_path / "out", Merge())
    with pytest.raises(ConfigError, match="add up to 0"):
        merged(models, tmp_path / "new", Merge("linear", (1.0, -1.0)))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def test_what_is_no_model_says_what_to_do(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"no model.safetensors in .*posttrain export"):
        _ = folder_of(str(tmp_path)).files
    with pytest.raises(ModelError, match="posttrain export tiny FOLDER"):
        folder_of("tiny")
