"""The door to bitsandbytes: absent, broken, and (where it is installed) its numbers."""

import importlib.util
import sys

import pytest
import torch

from posttrain.errors import MissingExtraError, ModelError
from posttrain.models import nf4
from tests.models import codes

there = importlib.util.find_spec("bitsandbytes") is not None


def test_a_missing_bitsandbytes_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"model.quantize: nf4 needs .* pip install 'posttrain\[qlora\]'"):
        nf4.load_kernels("cpu")


@pytest.mark.parametrize("error", [RuntimeError("no kernel image\nhint"), NotImplementedError("no kernel image")])
def test_a_bitsandbytes_that_does_not_run_on_the_device_is_an_error_with_the_reason(monkeypatch, error):
    def refused(weight):
        raise error

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setitem(sys.modules, "bitsandbytes", object())
    monkeypatch.setattr(nf4, "pack", refused)
    with pytest.raises(ModelError, match="bitsandbytes cannot run on cpu: no kernel image; install a bitsandbytes for"):
        nf4.load_kernels("cpu")


@pytest.mark.skipif(not there, reason="needs the extra qlora")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bitsandbytes_gives_the_numbers_of_the_paper(dtype):
    nf4.load_kernels("cpu")
    weight = torch.randn(6, 128, generator=torch.Generator().manual_seed(0)).to(dtype)
    packed, scales = nf4.pack(weight)
    own = codes.pack(weight)
    assert torch.equal(packed, own[0])
    torch.testing.assert_close(scales, own[1])
    torch.testing.assert_close(nf4.unpack(packed, scales, (6, 128), dtype), codes.unpack(*own, (6, 128), dtype))
