"""The C++ product of few tokens in bfloat16, against its formula in float64."""

import pytest
import torch

from posttrain.models.kernels import decode_step, elementwise
from tests.machine.test_compiled import needs_compiler
from tests.models.exact import close, on_threads

pytestmark = needs_compiler


def has_linear() -> bool:
    return decode_step.supports_linear(torch.ones(1, 32).bfloat16(), torch.ones(32, 32).bfloat16())


needs_bf16_products = pytest.mark.skipif(not has_linear(), reason="this processor has no AVX512-BF16")


@needs_bf16_products
@pytest.mark.parametrize("tokens", [0, 1, 3, 4, 7, 8, 13, 64])
@pytest.mark.parametrize(("inputs", "outputs"), [(32, 32), (192, 96), (224, 64), (576, 1536)])
def test_the_product_is_its_formula(draw, tokens, inputs, outputs):
    x, weight = draw(tokens, inputs).bfloat16(), draw(outputs, inputs).bfloat16()
    exact = x.double() @ weight.double().T
    actual = decode_step.linear(x, weight)
    assert actual.shape == exact.shape
    if tokens:
        close(actual, exact, torch.bfloat16)


@needs_bf16_products
def test_golden_product():
    """Output o reads only input 3 o modulo 64, and the weight is 2 there: every output of a panel is different."""
    weight = torch.zeros(96, 64)
    weight[torch.arange(96), 3 * torch.arange(96) % 64] = 2.0
    x = torch.arange(128.0).view(2, 64)
    actual = decode_step.linear(x.bfloat16(), weight.bfloat16())
    assert torch.equal(actual.float(), 2 * x[:, 3 * torch.arange(96) % 64])


@needs_bf16_products
def test_threads_and_other_tokens_change_no_bit_of_a_product(draw):
    x, weight = draw(23, 576).bfloat16(), draw(320, 576).bfloat16()
    alone = torch.cat([decode_step.linear(row[None], weight) for row in x])
    for actual in on_threads(lambda: decode_step.linear(x, weight)):
        assert torch.equal(actual, alone)


@needs_bf16_products
def test_which_products_are_supported():
    x, weight = torch.ones(decode_step.MAX_TOKENS, 64).bfloat16(), torch.ones(32, 64).bfloat16()
    assert decode_step.supports_linear(x, weight)
    assert not decode_step.supports_linear(torch.ones(decode_step.MAX_TOKENS + 1, 64).bfloat16(), weight)
    assert not decode_step.supports_linear(x.float(), weight.float())
    assert not decode_step.supports_linear(x[:, :40].contiguous(), weight[:, :40].contiguous())
    assert not decode_step.supports_linear(x, weight[:31])
    learning = weight.clone().requires_grad_()
    assert elementwise.linear(x, learning).requires_grad
    with torch.no_grad():
        assert torch.equal(elementwise.linear(x, learning), decode_step.linear(x, weight))
        bias = weight[:, 0]
        assert torch.equal(elementwise.linear(x, weight, bias), torch.nn.functional.linear(x, weight, bias))
