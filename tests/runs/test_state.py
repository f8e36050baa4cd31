"""States go to disk and come back bit for bit, without pickle."""

import json
import math
import os
import random
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from posttrain.errors import StorageError
from posttrain.machine.disk import save_tensors
from posttrain.runs.state import read_state, write_state


def bits(value):
    """Convert a value to nested plain data, in which equality means equal bits and equal types."""
    if isinstance(value, torch.Tensor):
        raw = value.detach().resolve_conj().contiguous().reshape(-1).view(torch.uint8).tolist() if value.numel() else []
        return ("tensor", str(value.dtype), tuple(value.shape), raw)
    if isinstance(value, float):
        return ("float", struct.pack("d", value))
    if isinstance(value, dict):
        return ("dict", [(bits(k), bits(v)) for k, v in value.items()])
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [bits(v) for v in value])
    return (type(value).__name__, value)


def round_trip(folder, state):
    write_state(folder, "state", state)
    return read_state(folder, "state")


DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.complex64]
DTYPES += [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (4, 5)], ids=str)
def test_tensors_of_every_type_and_shape(tmp_path, dtype, shape):
    raw = torch.randint(0, 2, (*shape, torch.empty((), dtype=dtype).element_size()), dtype=torch.uint8)
    raw = raw if dtype is torch.bool else raw * 127
    tensor = raw.view(dtype).reshape(shape)
    assert bits(round_trip(tmp_path, {"t": tensor})) == bits({"t": tensor})


def test_nested_state_with_every_kind_of_value(tmp_path):
    state = {
        "step": 7,
        "big": 2**200,
        "flags": (True, False, None),
        "floats": [0.1, -0.0, 1e-323, math.nan, math.inf, -math.inf],
        "text": "ü\n\x00 half \udc80",
        "empty": [{}, [], (), ""],
        "nested": {"a": ({"b": [torch.arange(3), (torch.tensor(2.5, dtype=torch.bfloat16),)]},)},
        0: {"exp_avg": torch.randn(2, 3), "step": torch.tensor(3.0)},
        "0": "not the same key as 0",
        (1, "a"): "tuple key",
        None: 1,
        True: 2.5,
        "$tensor": "a key that looks like one of ours",
        "a/b": torch.ones(1),
        "a": {"b": torch.zeros(1)},
    }
    assert bits(round_trip(tmp_path, state)) == bits(state)


@pytest.mark.parametrize("state", [None, 3, "x", [], torch.tensor(1.0), {"$tuple": [1]}, {"$nonsense": 1}])
def test_anything_can_be_the_whole_state(tmp_path, state):
    assert bits(round_trip(tmp_path, state)) == bits(state)


def test_random_generators_go_on_where_they_stopped(tmp_path):
    torch_rng, numpy_rng, python_rng = torch.Generator().manual_seed(1), np.random.default_rng(2), random.Random(3)
    state = {"t": torch_rng.get_state(), "n": numpy_rng.bit_generator.state, "p": python_rng.getstate()}
    expected = torch.rand(3, generator=torch_rng).tolist(), numpy_rng.random(3).tolist(), python_rng.random()
    back = round_trip(tmp_path, state)
    torch_rng.set_state(back["t"])
    numpy_rng.bit_generator.state = back["n"]
    python_rng.setstate(back["p"])
    assert (torch.rand(3, generator=torch_rng).tolist(), numpy_rng.random(3).tolist(), python_rng.random()) == expected


def test_an_optimiser_continues_bitwise(tmp_path):
    def train(steps, parameter, optimiser):
        for n in range(steps):
            optimiser.zero_grad()
            (parameter * torch.linspace(-1, 1, 5) * (n + 1)).pow(2).sum().backward()
            optimiser.step()

    start = torch.linspace(0, 1, 5)
    p = torch.nn.Parameter(start.clone())
    optimiser = torch.optim.AdamW([p], lr=0.1)
    train(3, p, optimiser)
    back = round_trip(tmp_path, {"p": p, "o": optimiser.state_dict()})
    q = torch.nn.Parameter(back["p"].clone())
    other = torch.optim.AdamW([q], lr=9.0)
    other.load_state_dict(back["o"])
    train(3, p, optimiser)
    train(3, q, other)
    assert torch.equal(p, q)


def test_tensors_that_share_memory(tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    state = {
        "a": base,
        "again": base,
        "flat": base.view(-1),
        "row": base[1],
        "t": base.T,
        "other": base[1:],
        "z": base.expand(2, 3, 4),
    }
    back = round_trip(tmp_path, state)
    assert bits(back) == bits(state)
    assert back["a"] is back["again"]
    back["row"].zero_()
    assert torch.equal(back["a"], base)
    assert (tmp_path / "state.safetensors").stat().st_size < 2000


def test_a_conjugate_view_is_not_mistaken_for_its_original(tmp_path):
    z = torch.tensor([1 + 2j, 3 - 4j], dtype=torch.complex64)
    assert bits(round_trip(tmp_path, [z, z.conj(), z.conj().imag])) == bits([z, z.conj(), z.conj().imag])


def test_tensors_with_gradient_come_back_without(tmp_path):
    parameter = torch.nn.Parameter(torch.ones(2))
    assert not round_trip(tmp_path, {"p": parameter})["p"].requires_grad
    assert parameter.requires_grad


@pytest.mark.parametrize(
    "value",
    [
        np.int64(3),
        np.zeros(2),
        {1, 2},
        b"raw",
        torch.Size([1]),
        object(),
        torch.eye(2).to_sparse(),
        torch.ones(2, dtype=torch.complex128),
        torch.ones(2, device="meta"),
        1j,
    ],
)
def test_what_cannot_be_saved_is_named(tmp_path, value):
    with pytest.raises(StorageError, match=r"state: optimizer/3/value is a .*cannot (hold|be saved)"):
        write_state(tmp_path, "state", {"optimizer": {3: {"value": value}}})
    assert list(tmp_path.iterdir()) == []


def test_the_files_are_json_and_safetensors(tmp_path):
    write_state(tmp_path, "rng", {"seed": 1, "betas": (0.9, 0.95), "t": torch.ones(2)})
    assert json.loads((tmp_path / "rng.json").read_text()) == {
        "format": 3,
        "state": {"seed": 1, "betas": {"$tuple": [0.9, 0.95]}, "t": {"$tensor": "t"}},
    }
    write_state(tmp_path, "data", {"position": 3})
    assert sorted(os.listdir(tmp_path)) == ["data.json", "rng.json", "rng.safetensors"]


def test_what_lies_in_another_file_is_not_stored_again(tmp_path):
    weight = torch.randn(64, 64)
    model = save_tensors(tmp_path / "model.safetensors", {"w": weight})
    state = {"models": {"a": weight, "tied": weight, "column": weight[:, 0]}, "equal": weight.clone()}
    write_state(tmp_path, "state", state, {"model.safetensors": model})
    assert sorted(load_file(tmp_path / "state.safetensors")) == ["equal", "models/column"]
    content = json.loads((tmp_path / "state.json").read_text())["state"]["models"]
    assert content["a"] == content["tied"] == {"$tensor": ["model.safetensors", "w"]}
    assert bits(read_state(tmp_path, "state")) == bits(state)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"format": 1, "state": 1}',
        '{"format": 3}',
        '{"format": 3, "state": {"$tensor": "missing"}}',
        '{"format": 3, "state": {"$tensor": ["t"]}}',
        '{"format": 3, "state": {"$tensor": ["missing.safetensors", "t"]}}',
        '{"format": 3, "state": {"$tensor": ["../outside.safetensors", "t"]}}',
        '{"format": 3, "state": {"$new": 1}}',
        '{"format": 3, "state": {"$tuple": 1}}',
        '{"format": 3, "state": {"$dict": [[[1], 2]]}}',
        '{"format": 3, "state": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_damaged_states_are_errors_of_storage(tmp_path, content):
    folder = tmp_path / "inside"
    folder.mkdir()
    save_tensors(tmp_path / "outside.safetensors", {"t": torch.ones(1)})
    write_state(folder, "state", {"t": torch.ones(1)})
    (folder / "state.json").write_text(content)
    with pytest.raises(StorageError, match=r"state\.json"):
        read_state(folder, "state")


def test_missing_and_truncated_files_are_errors_of_storage(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        read_state(tmp_path, "state")
    write_state(tmp_path, "state", {"t": torch.ones(100)})
    tensors = tmp_path / "state.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:200])
    with pytest.raises(StorageError, match=r"state\.json"):
        read_state(tmp_path, "state")
