"""Damage to a checkpoint is detected: flipped bits, lost and added files, forged manifests."""

import json
import shutil

import pytest

from posttrain.machine.disk import xxh3
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.manifest import COMMITTED, MANIFEST, commit, verify, write_manifest

FILES = ("model.safetensors", "optimizer/state.safetensors", "trainer_state.json")


@pytest.fixture
def one(tmp_path):
    """A checkpoint to damage."""
    with Checkpoints(tmp_path).writing(5) as folder:
        (folder / "optimizer").mkdir()
        for name in FILES:
            (folder / name).write_text(f"{name} " * 20)
    return tmp_path / "checkpoints" / "checkpoint-5"


def test_a_sound_checkpoint_has_no_problems(one):
    assert verify(one) == []


@pytest.mark.parametrize("name", [*FILES, MANIFEST, COMMITTED])
@pytest.mark.parametrize("where", [0.0, 0.5, 0.99])
def test_one_flipped_bit_is_found_in_every_file(one, name, where):
    content = bytearray((one / name).read_bytes())
    content[int(where * len(content))] ^= 1 << 2
    (one / name).write_bytes(content)
    [problem] = verify(one)
    assert ("hash differs" in problem) or name in (MANIFEST, COMMITTED)


@pytest.mark.parametrize("name", [*FILES, MANIFEST, COMMITTED])
def test_truncation_and_deletion_are_found_in_every_file(one, name):
    content = (one / name).read_bytes()
    for damaged in (content[: len(content) // 2], content + b"x", b""):
        (one / name).write_bytes(damaged)
        assert len(verify(one)) == 1
    (one / name).unlink()
    [problem] = verify(one)
    assert problem.startswith(name)
    assert "missing" in problem


def test_a_file_that_nobody_saved_is_found_and_those_of_the_desktop_are_not(one):
    (one / ".DS_Store").write_text("")
    assert verify(one) == []
    (one / "adapter_config.json").write_text("{}")
    (one / "linked").symlink_to("/etc")
    assert verify(one) == [f"adapter_config.json: not in {MANIFEST}", f"linked: not in {MANIFEST}"]


@pytest.mark.parametrize("name", ["../outside", "optimizer/../../outside", "/etc/passwd", "", ".", "a\\..\\b"])
def test_a_manifest_cannot_reach_outside(one, name):
    outside = one.parent / "outside"
    outside.write_text("secret")
    entry = {"size": 6, "xxh3": xxh3(outside)}
    forge(one, lambda files: files.__setitem__(name, entry))
    [problem] = verify(one)
    assert "leaves the folder" in problem


@pytest.mark.parametrize("link", ["model.safetensors", "optimizer"])
def test_a_link_to_outside_is_rejected_even_if_the_content_matches(one, link):
    outside = one.parent.parent / "outside"
    shutil.move(one / link, outside)
    (one / link).symlink_to(outside)
    assert any("a symbolic link" in problem for problem in verify(one))


def test_a_manifest_of_a_later_format_is_refused(one):
    manifest = json.loads((one / MANIFEST).read_text())
    (one / MANIFEST).write_text(json.dumps(manifest | {"format": 3}))
    commit(one)
    assert verify(one) == [f"{MANIFEST}: cannot be read (format 3, this version reads 2)"]


@pytest.mark.parametrize(
    "manifest", ["{", "[]", "{}", '{"format": 2, "files": {"model.safetensors": 3}}', '{"format": 2, "files": 3}']
)
def test_a_manifest_that_makes_no_sense_is_a_problem(one, manifest):
    (one / MANIFEST).write_text(manifest)
    commit(one)
    [problem] = verify(one)
    assert "cannot be read" in problem


def forge(folder, change):
    """Edit the manifest as an attacker would, with a matching mark."""
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest["files"])
    (folder / MANIFEST).write_text(json.dumps(manifest))
    commit(folder)


def test_manifests_of_big_trees_are_in_order(tmp_path):
    for name in ("b", "a/z", "a/b", "c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path)
    assert list(json.loads((tmp_path / MANIFEST).read_text())["files"]) == ["a/b", "a/z", "b", "c"]
