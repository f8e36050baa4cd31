"""The seal of weights: what is opened is what was sealed, all of it, in this version."""

import pytest
import torch
from safetensors.torch import save_file

from posttrain.backends.vllm.handover import SEAL, HandoverError, fingerprint, opened, seal

WEIGHTS = {"a": torch.arange(7, dtype=torch.bfloat16), "b": torch.ones(3, 5)}


@pytest.fixture
def folder(tmp_path):
    save_file(WEIGHTS, tmp_path / "model.safetensors")
    save_file({"head": torch.ones(2)}, tmp_path / "value_head.safetensors")  # only the trainer reads it
    assert seal(tmp_path, 4) == 7 * 2 + 15 * 4
    return tmp_path


def test_all_weights_are_read_and_heads_are_not(folder):
    read = dict(opened(folder, 4))
    assert read.keys() == WEIGHTS.keys()
    assert all(torch.equal(read[n], w) for n, w in WEIGHTS.items())


def change(folder, **weights):
    save_file({**WEIGHTS, **weights}, folder / "model.safetensors")


def lose(folder):
    save_file({"a": WEIGHTS["a"]}, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("fault", "version", "words"),
    [
        (lambda f: None, 5, "holds version 4 of the weights, and 5"),
        (lambda f: (f / SEAL).unlink(), 4, "not sealed"),
        (lambda f: change(f, a=WEIGHTS["a"] + 1), 4, "a in .* is not what was sealed"),
        (lambda f: change(f, c=torch.ones(1)), 4, "c in .* is not what was sealed"),
        (lose, 4, "b of 1 tensors missing"),
    ],
)
def test_anything_else_is_an_error(folder, fault, version, words):
    fault(folder)
    with pytest.raises(HandoverError, match=words):
        dict(opened(folder, version))


def test_every_byte_counts_in_a_fingerprint():
    tensor = torch.arange(11, dtype=torch.int8)
    for place in range(11):
        other = tensor.clone()
        other[place] += 1
        assert fingerprint(other) != fingerprint(tensor)
    assert fingerprint(torch.ones(4).view(2, 2).T) == fingerprint(torch.ones(4))
    assert fingerprint(torch.ones(0)) == 0
