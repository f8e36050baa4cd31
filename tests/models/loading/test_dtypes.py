import pytest
import torch

from posttrain.errors import ModelError
from posttrain.models.loading.dtypes import WRITTEN, cast, dtype_called
from posttrain.models.loading.tiny import tiny_model


def test_names_of_dtypes():
    assert dtype_called("bfloat16") == torch.bfloat16
    assert dtype_called("float16", WRITTEN) == torch.float16
    with pytest.raises(ModelError, match=r"no dtype 'float16' .*; there are float32, bfloat16, float64"):
        dtype_called("float16")


def test_weights_are_rounded_and_none_becomes_infinite():
    network, _ = tiny_model()
    cast(network, torch.float16)
    assert {p.dtype for p in network.trunk.parameters()} == {torch.float16}
    network, _ = tiny_model()
    with torch.no_grad():
        network.trunk.model.norm.weight[3] = 1e5
    with pytest.raises(ModelError, match="model.norm.weight holds numbers that torch.float16 cannot"):
        cast(network, torch.float16)
