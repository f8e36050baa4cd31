"""Rows with a common prefix: fewer tokens are read, outputs and gradients are the same."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.models.attention import Packed
from posttrain.models.lora import add_lora
from posttrain.models.prefixes import SharedPacked, pack
from tests.models.test_attention import draw, plain
from tests.models.tiny import VOCABULARY, network, some_rows

NAMES = ["logp", "entropy", "logits", "value", "score", "hidden"]
PROMPTS = [7, 5, 9, 5]  # tokens of each prompt
ANSWERS = [(6, 1, 3), (4,), (2, 20, 2, 1), (3, 3)]  # tokens of its answers; prompts 1 and 3 are as long as each other


def group_rows(seed=0):
    """Groups of answers, with rows of different groups in turn."""
    generator = torch.Generator().manual_seed(seed)

    def random_tokens(count):
        return torch.randint(3, VOCABULARY, (count,), generator=generator).tolist()

    prompts = [random_tokens(n) for n in PROMPTS]
    rows = [
        (p, random_tokens(n))
        for k in range(4)
        for p, group in zip(prompts, ANSWERS, strict=True)
        for n in group[k : k + 1]
    ]
    tokens = torch.tensor([t for prompt, answer in rows for t in (*prompt, *answer)])
    index = torch.arange(len(rows)).repeat_interleave(torch.tensor([len(p) + len(a) for p, a in rows]))
    written = torch.tensor([mark for p, a in rows for mark in (*[False] * len(p), *[True] * len(a))])
    return tokens, Rows(index, written, len(rows))


def results(net, tokens, rows):
    """All outputs, and the gradients of a loss that reads each of them."""
    net.zero_grad()
    out = net.outputs(tokens, rows, NAMES, temperature=0.7)
    generator = torch.Generator().manual_seed(1)
    loss = sum((torch.randn(x.shape, dtype=x.dtype, generator=generator) * x).sum() for x in out.values())
    loss.backward()
    return out, {n: p.grad for n, p in net.named_parameters() if p.grad is not None}


def without_sharing(monkeypatch):
    """Make no prefix worth sharing from here on."""
    monkeypatch.setattr("posttrain.models.prefixes.WORTH", 2.0)


def wide(norm):
    """A norm in the model's dtype; those of transformers round to float32."""
    plus = 1.0 if "Gemma" in type(norm).__name__ else 0.0
    eps = norm.eps if hasattr(norm, "eps") else norm.variance_epsilon
    return lambda x: (plus + norm.weight) * x * (x.square().mean(-1, keepdim=True) + eps).rsqrt()


def with_heads(architecture="Llama"):
    net = network(architecture)
    for module in net.modules():
        if "RMSNorm" in type(module).__name__:
            module.forward = wide(module)
    net.add_head("value", seed=1)
    net.add_head("score", seed=2)
    return net


def check(actual, expected):
    assert actual.keys() == expected.keys()
    for name, x in expected.items():
        assert (actual[name] - x).norm() <= 1e-10 * x.norm(), name


@pytest.mark.parametrize("architecture", ["Llama", "Qwen2", "Qwen3", "Mistral", "Gemma3Text", "GPT2", "GPTNeoX"])
def test_outputs_and_gradients_are_those_of_separate_rows(architecture, monkeypatch):
    net = with_heads(architecture)
    tokens, rows = group_rows()
    assert len(tokens[pack(tokens, rows).tokens]) == len(tokens) - 2 * 7 - 3 * 9 - 5
    out, gradients = results(net, tokens, rows)
    without_sharing(monkeypatch)
    assert isinstance(pack(tokens, rows).layout, Packed)
    expected, plain_gradients = results(net, tokens, rows)
    check(out, expected)
    check(gradients, plain_gradients)


@pytest.mark.parametrize("kind", ["lora", "checkpointing"])
def test_adapters_and_checkpointing(kind, monkeypatch):
    net = with_heads()
    if kind == "lora":
        add_lora(net, rank=2, alpha=4.0)
        with torch.no_grad():
            for n, p in net.named_parameters():
                if "lora_B" in n:
                    p.normal_(0, 0.1, generator=torch.Generator().manual_seed(len(n)))
    else:
        net.checkpointing(True)
    tokens, rows = group_rows()
    out, gradients = results(net.train(), tokens, rows)
    without_sharing(monkeypatch)
    expected, plain_gradients = results(net, tokens, rows)
    check(out, expected)
    check(gradients, plain_gradients)
    assert any("lora" in n for n in gradients) == (kind == "lora")


def test_a_continuation_is_plain_attention_of_the_whole_sequence():
    """Lengths of continuations and prefixes that share a padded block, and some that do not."""
    whole, prefix, rest = [4, 80, 6], [0, 2, 0, 1, 2], [3, 2, 5, 4, 30]
    count = sum(whole) + sum(rest)
    for window in (None, 3, 8):
        q, k, v = draw(count, 4, 0), draw(count, 2, 1), draw(count, 2, 2)
        layout = SharedPacked(whole, prefix, rest)
        actual = layout.attend(0, q, k, v, 0.5, window).split([*whole, *rest])
        spans = [torch.arange(count).split([*whole, *rest])[i] for i in range(len(whole) + len(rest))]
        for number, (of, span) in enumerate(zip(prefix, spans[len(whole) :], strict=True)):
            both = torch.cat([spans[of], span])
            expected = plain(q[both], k[both], v[both], 0.5, window)[-len(span) :]
            torch.testing.assert_close(actual[len(whole) + number], expected, rtol=0, atol=1e-12)
            assert layout.positions[both].tolist() == list(range(len(both)))


def test_packing_gives_each_token_the_state_after_the_same_tokens():
    tokens, rows = group_rows()
    packed = pack(tokens, rows)
    assert torch.equal(tokens[packed.tokens][packed.state], tokens)
    positions = torch.cat([torch.arange(n) for n in rows.sizes.tolist()])
    assert torch.equal(packed.layout.positions[packed.state], positions)


def test_rows_without_a_common_prefix_or_with_a_short_one_are_packed_whole():
    tokens, rows = some_rows([8, 8, 8])
    assert isinstance(pack(tokens, rows).layout, Packed)
    tokens = torch.cat([torch.tensor([1]), torch.randint(3, 40, (39,), generator=torch.Generator().manual_seed(0))])
    tokens = torch.cat([tokens, tokens[:1], tokens[1:].flip(0)])  # only the first token is common
    index, mask = torch.arange(2).repeat_interleave(40), (torch.arange(80) % 40) > 0
    assert isinstance(pack(tokens, Rows(index, mask, 2)).layout, Packed)


def test_prompts_of_one_length_that_differ_in_the_last_token_are_not_shared():
    tokens = torch.tensor([5, 6, 7, 9, 5, 6, 8, 9])
    mask = torch.tensor([False, False, False, True] * 2)
    rows = Rows(torch.arange(2).repeat_interleave(4), mask, 2)
    assert isinstance(pack(tokens, rows).layout, Packed)


def test_rows_where_nothing_is_written_share_all_but_their_last_token(monkeypatch):
    net = with_heads()
    tokens = torch.tensor([5, 6, 7, 8, 9]).repeat(3)
    rows = Rows(torch.arange(3).repeat_interleave(5), torch.zeros(15, dtype=torch.bool), 3)
    assert len(pack(tokens, rows).layout.positions) == 4 + 3
    scores = net.outputs(tokens, rows, ["score"])["score"]
    without_sharing(monkeypatch)
    torch.testing.assert_close(scores, net.outputs(tokens, rows, ["score"])["score"], rtol=1e-10, atol=0)


def test_empty_rows_between_rows_that_share():
    net = network()
    one = torch.tensor([5, 6, 7, 8])
    mask = torch.tensor([False, False, False, True])
    rows = Rows(torch.tensor([0] * 4 + [2] * 4), mask.repeat(2), 4)
    actual = net.outputs(one.repeat(2), rows, ["logp"])["logp"]
    alone = net.outputs(one, Rows(torch.zeros(4, dtype=torch.long), mask, 1), ["logp"])["logp"]
    torch.testing.assert_close(actual, alone.repeat(2), rtol=0, atol=1e-12)


def test_without_gradient_too():
    net = network()
    tokens, rows = group_rows()
    read_tokens = []
    net.trunk.base_model.get_input_embeddings().register_forward_hook(lambda _, given, out: read_tokens.append(out))
    with torch.no_grad():
        net.outputs(tokens, rows, ["logp"])
    assert read_tokens[0].shape[0] == len(tokens) - 2 * 7 - 3 * 9 - 5
