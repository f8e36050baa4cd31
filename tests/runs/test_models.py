import pytest

from posttrain.runs.models import model_in


def model(folder, mark="config.json"):
    folder.mkdir(parents=True)
    (folder / mark).write_text("{}")
    return folder


def checkpoint(folder, *, complete=True):
    model(folder)
    if complete:
        (folder / "COMMITTED").write_text("")
    return folder


@pytest.mark.parametrize("mark", ["config.json", "adapter_config.json"])
def test_a_folder_with_a_model_is_its_own(tmp_path, mark):
    model(tmp_path / "final")
    assert model_in(model(tmp_path / "a", mark)) == (tmp_path / "a", "")


def test_a_run_is_its_final_model_and_before_that_its_newest_complete_checkpoint(tmp_path):
    for name in ("checkpoint-9", "checkpoint-10", "checkpoint-10.replaced", ".checkpoint-12.partial", "checkpoint-x"):
        checkpoint(tmp_path / "checkpoints" / name)
    checkpoint(tmp_path / "checkpoints" / "checkpoint-11", complete=False)
    for folder in (tmp_path, tmp_path / "checkpoints"):
        assert model_in(folder)[0] == tmp_path / "checkpoints" / "checkpoint-10"
        assert "newest checkpoint" in model_in(folder)[1]
    model(tmp_path / "final")
    assert model_in(tmp_path) == (tmp_path / "final", "the final model of the run")


def test_other_folders_have_none(tmp_path):
    assert model_in(tmp_path) is None
    model(tmp_path / "models" / "reward")
    (tmp_path / "checkpoints").mkdir()
    assert model_in(tmp_path) is None
    assert model_in(tmp_path / "missing") is None
