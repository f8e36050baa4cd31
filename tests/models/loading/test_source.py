"""Names of models: folders, runs, the hub."""

import re
import time

import huggingface_hub
import pytest
from huggingface_hub import constants

from posttrain.errors import ModelError
from posttrain.machine import hub
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.source import Source, source_of
from posttrain.models.loading.tiny import tiny_model


def model(folder):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refusing(monkeypatch):
    """A hub behind a port that nobody listens at."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")


@pytest.mark.fault("M6")
def test_a_run_stands_for_its_model_and_says_which(tmp_path, caplog):
    save(*tiny_model(), tmp_path / "run" / "final")
    assert load(str(tmp_path / "run")).name == str(tmp_path / "run")
    assert caplog.messages == [f"{tmp_path}/run: {tmp_path}/run/final is used, the final model of the run"]
    caplog.clear()
    checkpoint = model(tmp_path / "other" / "checkpoints" / "checkpoint-3")
    (checkpoint / "COMMITTED").write_text("")
    assert source_of(str(tmp_path / "other")).folder == checkpoint
    assert "newest checkpoint" in caplog.text
    caplog.clear()
    assert source_of(str(checkpoint)).folder == checkpoint
    assert not caplog.messages


@pytest.mark.fault("M6")
def test_a_folder_without_a_model_is_an_error_that_says_what_was_looked_for(tmp_path):
    with pytest.raises(ModelError, match=re.escape("no config.json, adapter_config.json, final/ or checkpoints/")):
        source_of(str(tmp_path))
    model(tmp_path / "models" / "reward")
    with pytest.raises(ModelError, match=r"give one of its models: .*/models/reward$"):
        source_of(str(tmp_path))


def test_a_misspelt_folder_is_not_asked_from_a_hub(here, refusing):
    model(here / "runs" / "sums")
    start = time.monotonic()
    for spec in ("./runs/sum", "runs/sum"):
        with pytest.raises(ModelError, match=re.escape(f"no model folder {spec} (did you mean 'sums'?)")):
            source_of(spec)
    with pytest.raises(ModelError, match=re.escape("no model 'rums' (did you mean 'runs'?)")):
        source_of("rums")
    assert time.monotonic() - start < 5


def test_a_name_of_the_hub_beside_a_folder_of_that_owner(here, monkeypatch):
    (here / "owner").mkdir()
    monkeypatch.setattr(hub, "exists", lambda name: name == "owner/known")
    monkeypatch.setattr(hub, "reachable", lambda: True)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_, **__: "config.json")
    assert source_of("owner/known", "main") == Source("owner/known", "owner/known", "main")
    with pytest.raises(ModelError, match="no model folder owner/unknown, and no model owner/unknown on the hub"):
        source_of("owner/unknown")


def test_without_a_hub_only_the_cache_is_read_and_the_error_says_so(here, refusing, capfd):
    start = time.monotonic()
    assert source_of("owner/name").options == {"revision": None, "local_files_only": True, "trust_remote_code": False}
    with pytest.raises(ModelError, match=r"owner/name: no such folder, the hub \(http://127.0.0.1:9\) cannot"):
        load("owner/name")
    assert time.monotonic() - start < 10
    assert capfd.readouterr() == ("", "")


def test_a_revision_of_a_folder_is_named_in_a_warning(tmp_path, caplog):
    source_of(str(model(tmp_path / "a")), "v1")
    assert "is a folder: revision v1" in caplog.text
