"""Models that cannot run on flat tokens give what plain transformers gives for each row, forward and backward."""

import pytest
import torch
import torch.nn.functional as F

from posttrain.core.rows import Rows
from posttrain.errors import ModelError
from posttrain.models.adapters import without_adapters
from posttrain.models.loading.load import as_network
from posttrain.models.loading.probe import probe
from posttrain.models.lora import add_lora
from posttrain.models.network import Network
from posttrain.models.padded import Padded
from tests.models.test_network import layout_of, plain_log_probs
from tests.models.tiny import UNUSUAL, VOCABULARY, padded, some_rows, trunk

LENGTHS = [5, 9, 1, 8, 3, 40]
TOKEN = ["logp", "entropy", "logits", "value", "hidden"]


@pytest.fixture
def wide(monkeypatch):
    """transformers computes some things in float32 whatever the dtype of the model; here float64 stays float64."""
    to, narrow, softmax = torch.Tensor.to, torch.Tensor.float, F.softmax

    def stays(x):
        return x.dtype == torch.float64

    def convert(x, *args, **named):
        asked = torch.float32 in args or named.get("dtype") == torch.float32
        return x if asked and stays(x) else to(x, *args, **named)

    monkeypatch.setattr(torch.Tensor, "to", convert)
    monkeypatch.setattr(torch.Tensor, "float", lambda x: x if stays(x) else narrow(x))
    monkeypatch.setattr(F, "softmax", lambda x, dim, dtype=None: softmax(x, dim, dtype=x.dtype if stays(x) else dtype))


def with_heads(architecture="Gemma2"):
    net = padded(architecture).eval()
    net.add_head("value", seed=1)
    net.add_head("score", seed=2)
    return net


def gradients(net, names=("logp",), lengths=LENGTHS):
    tokens, rows = some_rows(lengths)
    out = net.outputs(tokens, rows, list(names))
    sum(x.square().sum() for x in out.values()).backward()
    return [p.grad for p in net.parameters()]


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("architecture", UNUSUAL)
def test_padded_rows_give_what_plain_transformers_gives_for_each(architecture):
    plain, net = trunk(architecture), padded(architecture)
    tokens, rows = some_rows(LENGTHS)
    out = net.outputs(tokens, rows, ["logp", "entropy", "logits"])
    log_p = plain_log_probs(plain, tokens, LENGTHS)
    index = torch.arange(len(tokens))
    chosen = rows.mask & (log_p.abs().sum(-1) > 0)
    logp = torch.where(chosen, log_p[index, tokens], 0)
    entropy = torch.where(chosen, -(log_p.exp() * log_p).sum(-1), 0)
    torch.testing.assert_close(out["logp"], logp, rtol=0, atol=1e-12)
    torch.testing.assert_close(out["entropy"], entropy, rtol=0, atol=1e-12)
    torch.testing.assert_close(out["logits"].log_softmax(-1)[chosen], log_p[chosen], rtol=0, atol=1e-12)

    (out["logp"].square() + out["entropy"]).sum().backward()
    (logp.square() + entropy).sum().backward()
    for (name, actual), expected in zip(net.trunk.named_parameters(), plain.parameters(), strict=True):
        assert (actual.grad - expected.grad).norm() <= 1e-11 * expected.grad.norm(), name


@pytest.mark.usefixtures("wide")
def test_heads_read_the_states_that_the_docstring_names():
    net = with_heads()
    tokens, rows = some_rows(LENGTHS)
    out = net.outputs(tokens, rows, ["value", "score", "hidden"])
    states = torch.cat([net.states(row, layout_of(row)) for row in tokens.split(LENGTHS)])
    torch.testing.assert_close(out["hidden"], states, rtol=0, atol=1e-12)
    for r, row in enumerate(states.split(LENGTHS)):
        values = torch.cat([torch.zeros(1, dtype=torch.float64), net.heads["value"](row[:-1])[:, 0]])
        torch.testing.assert_close(out["value"][rows.index == r], values, rtol=0, atol=1e-12)
        torch.testing.assert_close(out["score"][r], net.heads["score"](row[-1])[0], rtol=0, atol=1e-12)


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("architecture", ["Gemma2", "Mamba"])
def test_order_of_rows_and_neighbours_do_not_matter(architecture):
    net = with_heads(architecture)
    tokens, rows = some_rows(LENGTHS)
    out = net.outputs(tokens, rows, [*TOKEN, "score"])
    parts, masks = tokens.split(LENGTHS), rows.mask.split(LENGTHS)
    for order in ([3, 0, 5, 4, 2, 1], [4, 1], [5]):
        sizes = torch.tensor([LENGTHS[r] for r in order])
        index = torch.arange(len(order)).repeat_interleave(sizes)
        moved = Rows(index, torch.cat([masks[r] for r in order]), len(order))
        again = net.outputs(torch.cat([parts[r] for r in order]), moved, [*TOKEN, "score"])
        for name in TOKEN:
            expected = torch.cat([out[name].split(LENGTHS)[r] for r in order])
            torch.testing.assert_close(again[name], expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(again["score"], out["score"][order], rtol=0, atol=1e-12)


def test_prefixes_are_not_shared():
    """A state-space model has no keys and values that a second row could read."""
    net = padded("Mamba")
    tokens, rows = some_rows([20, 20])
    tokens[20:30] = tokens[:10]
    actual = net.outputs(tokens, rows, ["logp"])["logp"]
    alone = [net.outputs(*some, ["logp"])["logp"] for some in zip(tokens.split(20), each(rows), strict=True)]
    torch.testing.assert_close(actual, torch.cat(alone), rtol=0, atol=1e-5)


def each(rows):
    return [Rows(torch.zeros_like(m, dtype=torch.long), m, 1) for m in rows.mask.split(rows.sizes.tolist())]


@pytest.mark.usefixtures("wide")
def test_temperature_divides_capped_logits_and_only_written_tokens_have_logp():
    net = padded()
    tokens, rows = some_rows(LENGTHS)
    each = torch.linspace(0.5, 2, len(tokens), dtype=torch.float64)
    logits = net.outputs(tokens, rows, ["logits"])["logits"]
    assert logits.abs().max() < 3  # the cap
    logp = net.outputs(tokens, rows, ["logp"], temperature=each)["logp"]
    log_p = (logits / each[:, None]).log_softmax(-1)[torch.arange(len(tokens)), tokens]
    assert ((logp != 0) <= rows.mask).all()
    torch.testing.assert_close(logp[logp != 0], log_p[logp != 0], rtol=0, atol=1e-12)
    none = net.outputs(tokens, rows, ["logp", "entropy"], written=torch.zeros_like(rows.mask))
    assert not none["logp"].any()
    assert not none["entropy"].any()


@pytest.mark.usefixtures("wide")
def test_logits_in_chunks_of_tokens_change_nothing(monkeypatch):
    whole = gradients(padded(), ("logp", "entropy"))
    made = []
    monkeypatch.setattr("posttrain.models.padded.TILE", 3 * VOCABULARY)
    net = padded()
    net.trunk.lm_head.register_forward_hook(lambda layer, args, logits: made.append(logits.numel()))
    for actual, expected in zip(gradients(net, ("logp", "entropy")), whole, strict=True):
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)
    assert max(made) == 3 * VOCABULARY


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("architecture", ["Gemma2", "Mamba"])
def test_checkpointing_and_train_mode_change_nothing(architecture):
    eager, saving = padded(architecture), padded(architecture)
    saving.checkpointing(True)
    calls = []
    layer = next(m for n, m in saving.named_modules() if n.endswith(("up_proj", "in_proj")))
    layer.register_forward_hook(lambda *_: calls.append("layer"))
    actual, expected = (gradients(net, lengths=[9, 8]) for net in (saving.train(), eager))
    for one, other in zip(actual, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
    assert len(calls) == 2  # once more in the backward pass


@pytest.mark.usefixtures("wide")
def test_adapters_are_trained_and_switch_off():
    net = padded()
    tokens, rows = some_rows(LENGTHS)
    before = net.outputs(tokens, rows, ["logits"])["logits"]
    add_lora(net, rank=2, alpha=4)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if "lora_B" in name:
                p.fill_(0.1)
    after = net.outputs(tokens, rows, ["logp", "logits"])
    assert (after["logits"] - before).abs().max() > 0.1
    with without_adapters(net):
        torch.testing.assert_close(net.outputs(tokens, rows, ["logits"])["logits"], before, rtol=0, atol=1e-12)
    after["logp"].sum().backward()
    assert {".lora_" in n for n, p in net.named_parameters() if p.grad is not None} == {True}


def test_padding_rows_of_the_vocabulary_are_not_counted():
    net = padded()
    net.vocab_size = VOCABULARY - 7
    tokens, rows = some_rows(LENGTHS)
    tokens = tokens.clamp(max=net.vocab_size - 1)
    out = net.outputs(tokens, rows, ["logp", "logits"])
    assert out["logits"].shape == (len(tokens), net.vocab_size)
    log_p = out["logits"].log_softmax(-1)[torch.arange(len(tokens)), tokens]
    torch.testing.assert_close(out["logp"], torch.where(out["logp"] == 0, 0, log_p), rtol=0, atol=1e-5)


def test_outputs_of_bfloat16_are_float32_and_a_copy_does_not_move():
    net = with_heads("Cohere")
    net.trunk.bfloat16()
    reference = net.copy()
    tokens, rows = some_rows(LENGTHS)
    before = reference.outputs(tokens, rows, ["logp", "entropy", "logits"])
    assert {x.dtype for x in before.values()} == {torch.float32}
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1)
    assert torch.equal(reference.outputs(tokens, rows, ["logp"])["logp"], before["logp"])


def test_states_of_the_last_forward_pass_are_not_copied():
    net = padded("RecurrentGemma")
    tokens, rows = some_rows(LENGTHS)
    expected = net.outputs(tokens, rows, ["logp"])["logp"]
    expected.sum().backward()
    assert torch.equal(net.copy().outputs(tokens, rows, ["logp"])["logp"], expected)


def test_a_state_space_model_has_no_longest_sequence():
    net = padded("Mamba")
    del net.trunk.config.max_position_embeddings
    assert net.context > 10**9
    assert padded("Gemma2").context == 64


# ---- which models run on flat tokens


@pytest.mark.parametrize("architecture", UNUSUAL)
def test_models_that_flat_tokens_refuse_run_through_transformers_with_one_warning(architecture, caplog):
    net = as_network(trunk(architecture), "some/model")
    assert isinstance(net, Padded)
    assert net.cached
    (message,) = [r.message for r in caplog.records if r.name.startswith("posttrain")]
    assert message.startswith("some/model cannot run on flat tokens (")
    assert architecture in message
    assert "through its `generate`: the same numbers, but slower" in message


def test_models_that_run_on_flat_tokens_give_no_warning(caplog):
    net = as_network(trunk(), "some/model")
    assert type(net) is Network
    assert not caplog.records


def test_a_model_that_looks_to_the_right_is_refused_with_both_reasons():
    with pytest.raises(
        ModelError, match=r"^some/model: Bert.* on flat tokens .*; nor .*: Bert.* on padded rows"
    ) as error:
        as_network(trunk("Bert"), "some/model")
    assert "\n" not in str(error.value)


def test_dropout_that_is_still_on_is_refused():
    model = trunk("Gemma2")
    model.model.layers[0].register_forward_hook(lambda layer, args, x: F.dropout(x, 0.5, layer.training))
    with pytest.raises(ModelError, match="other logits on padded rows"):
        probe(Padded(model))


def test_an_incorrect_cache_is_not_used(caplog):
    model = trunk("Gemma2")

    def corrupt(module, args, named, output):
        if named["input_ids"].shape[1] == 1:  # the tokens before it are in the cache
            output.logits = output.logits.flip(-1)
        return output

    model.register_forward_hook(corrupt, with_kwargs=True)
    net = as_network(model, "some/model")
    assert not net.cached
    assert "through its `generate` without a cache: the same numbers" in caplog.text
