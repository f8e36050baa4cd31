"""A rule with weights, blocks of layers, a base and a share."""

from __future__ import annotations

import pytest
import torch

from posttrain.errors import ConfigError
from posttrain.models.merging.merge import Merge, depth, layer_of

GENERATOR = torch.Generator().manual_seed(0)
BASE, FIRST, SECOND = (torch.randn(4, 5, generator=GENERATOR) for _ in range(3))
LAYER, EMBEDDING = "model.layers.{}.mlp.up_proj.weight", "model.embed_tokens.weight"


def merged(merge, base=None, name=EMBEDDING, layers=4):
    return merge.tensor(name, [FIRST, SECOND], base, layers)


@pytest.mark.parametrize("rule", ["linear", "slerp", "ties", "dare", "task_arithmetic"])
def test_a_share_is_the_way_from_the_base(rule):
    """η = 0 is the base, to the bit; η = 1 all the way; in between a straight line."""
    ends = [merged(Merge(rule, share=share), BASE) for share in (0.0, 0.25, 1.0)]
    assert torch.equal(ends[0], BASE)
    torch.testing.assert_close(ends[1], torch.lerp(BASE, ends[2], 0.25))


def test_the_ends_and_equal_models_are_exact():
    assert torch.equal(merged(Merge("linear", (1.0, 0.0))), FIRST)
    assert torch.equal(merged(Merge("linear", (0.0, 1.0)), BASE), SECOND)
    for rule in ("linear", "slerp", "ema"):
        alike = Merge(rule, (0.3, 0.7)).tensor(EMBEDDING, [FIRST, FIRST.clone()], BASE, 4)
        assert torch.equal(alike, FIRST)


def test_with_a_base_task_vectors_are_merged():
    found = merged(Merge("task_arithmetic", (1.0, 1.0)), BASE)
    torch.testing.assert_close(found, FIRST + SECOND - BASE)
    assert not torch.allclose(merged(Merge("slerp"), BASE), merged(Merge("slerp")))


@pytest.mark.paper("000:[30]")
def test_blocks_of_layers_have_weights_of_their_own():
    """Four layers in two blocks; what is outside the layers has the mean of the blocks."""
    merge = Merge(blocks=((1.0, 0.0), (0.5, 0.5)))
    for layer, share in enumerate((0.0, 0.0, 0.5, 0.5)):
        expected = torch.lerp(FIRST, SECOND, share)
        torch.testing.assert_close(merged(merge, name=LAYER.format(layer)), expected)
    torch.testing.assert_close(merged(merge), torch.lerp(FIRST, SECOND, 0.25))


@pytest.mark.paper("000:[30]")
def test_equal_blocks_are_plain_averaging():
    plain, blocks = Merge(weights=(0.2, 0.8)), Merge(blocks=((0.2, 0.8),) * 3)
    for name in (EMBEDDING, LAYER.format(0), LAYER.format(3)):
        torch.testing.assert_close(merged(blocks, name=name), merged(plain, name=name), rtol=0, atol=1e-7)


def test_masks_differ_from_tensor_to_tensor():
    merge = Merge("dare", settings={"density": 0.5})
    dropped = [merged(merge, BASE, name) == BASE for name in (EMBEDDING, LAYER.format(0))]
    assert not torch.equal(*dropped)
    again = Merge("dare", settings={"density": 0.5, "seed": 1})
    assert not torch.equal(dropped[0], merged(again, BASE) == BASE)


def test_bfloat16_is_merged_in_float32():
    one, other = FIRST.bfloat16(), SECOND.bfloat16()
    found = Merge().tensor(EMBEDDING, [one, other], None, 4)
    assert torch.equal(found, ((one.float() + other.float()) / 2).bfloat16())


def test_whole_numbers_must_agree():
    ids = torch.arange(3)
    assert torch.equal(Merge().tensor("position_ids", [ids, ids.clone()], None, 4), ids)
    with pytest.raises(ConfigError, match=r"position_ids holds torch.int64.*differ"):
        Merge().tensor("position_ids", [ids, ids + 1], None, 4)


def test_layers_by_name():
    assert [layer_of(n) for n in (EMBEDDING, LAYER.format(11), "transformer.h.3.attn.bias")] == [None, 11, 3]
    assert depth([EMBEDDING, LAYER.format(0), LAYER.format(5)]) == 6


@pytest.mark.parametrize(
    ("merge", "base", "message"),
    [
        (Merge("slerq"), True, r"no rule 'slerq' of merging \(did you mean 'slerp'\?\)"),
        (Merge(weights=(1.0,)), True, "2 models have 1 weights"),
        (Merge(blocks=((1.0, 0.0), (1.0,))), True, "2 models have 1 weights"),
        (Merge(weights=(1.0, 0.0), blocks=((1.0, 0.0),)), True, "remove one of them"),
        (Merge("ties"), False, "merge ties adds differences from a base model"),
        (Merge(share=0.5), False, "the way from the base model"),
        (Merge("ties", settings={"densty": 1.0}), True, "densty: unknown setting"),
        (Merge("dare", settings={"density": 0.0}), True, "density lies above 0 up to 1"),
        (Merge("ema", settings={"decay": 1.5}), True, "decay between 0 and 1"),
    ],
)
def test_what_does_not_fit_is_refused(merge, base, message):
    with pytest.raises(ConfigError, match=message):
        merge.check(2, base=base)
