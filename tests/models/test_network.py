import pytest
import torch

from posttrain.core.maths.prototypes import drawn
from posttrain.core.rows import Rows
from posttrain.errors import ModelError
from posttrain.models.loading.probe import probe
from posttrain.models.network import Network
from posttrain.models.outputs.output import names, output
from tests.models.tiny import ARCHITECTURES, VOCABULARY, network, some_rows, trunk, with_exact_norms

LENGTHS = [5, 9, 1, 8, 3]
TOKEN = ["logp", "entropy", "logits", "value", "hidden"]


def plain_log_probs(model, tokens, lengths):
    """Log-softmax of each row alone, by plain transformers, shifted so that index t predicts token t."""
    rows = []
    for row in tokens.split(lengths):
        log_p = model(input_ids=row[None]).logits[0].log_softmax(-1)
        rows.append(torch.cat([torch.zeros_like(log_p[:1]), log_p[:-1]]))
    return torch.cat(rows)


def with_heads(architecture="Llama"):
    net = network(architecture)
    net.add_head("value", seed=1)
    net.add_head("score", seed=2)
    return net


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_packed_rows_give_what_plain_transformers_gives_for_each(architecture):
    plain, net = with_exact_norms(trunk(architecture)), network(architecture)
    plain.set_attn_implementation("sdpa")  # the eager one takes its softmax in float32
    tokens, rows = some_rows(LENGTHS)
    out = net.outputs(tokens, rows, ["logp", "entropy", "logits"])
    log_p = plain_log_probs(plain, tokens, LENGTHS)
    index = torch.arange(len(tokens))
    chosen = rows.mask & (log_p.abs().sum(-1) > 0)
    torch.testing.assert_close(out["logp"], torch.where(chosen, log_p[index, tokens], 0), rtol=0, atol=1e-12)
    entropy = torch.where(chosen, -(log_p.exp() * log_p).sum(-1), 0)
    torch.testing.assert_close(out["entropy"], entropy, rtol=0, atol=1e-12)
    torch.testing.assert_close(out["logits"].log_softmax(-1)[chosen], log_p[chosen], rtol=0, atol=1e-12)

    out["logp"].square().sum().backward()
    (torch.where(chosen, log_p[index, tokens], 0)).square().sum().backward()
    rtol = 1e-4 if architecture == "Gemma3Text" else 1e-10  # its norms are computed in float32
    for (name, actual), expected in zip(net.trunk.named_parameters(), plain.parameters(), strict=True):
        assert (actual.grad - expected.grad).norm() <= rtol * expected.grad.norm(), name


def test_heads_read_the_states_that_the_docstring_names():
    net = with_heads()
    tokens, rows = some_rows(LENGTHS)
    out = net.outputs(tokens, rows, ["value", "score", "hidden"])
    states = torch.cat([net.states(row, layout_of(row)) for row in tokens.split(LENGTHS)])
    torch.testing.assert_close(out["hidden"], states, rtol=0, atol=1e-12)
    for r, row in enumerate(states.split(LENGTHS)):
        inside = rows.index == r
        values = torch.cat([torch.zeros(1, dtype=torch.float64), net.heads["value"](row[:-1])[:, 0]])
        torch.testing.assert_close(out["value"][inside], values, rtol=0, atol=1e-12)
        torch.testing.assert_close(out["score"][r], net.heads["score"](row[-1])[0], rtol=0, atol=1e-12)


def layout_of(row):
    from posttrain.models.attention import Packed

    return Packed([len(row)])


def test_order_of_rows_and_neighbours_do_not_matter():
    net = with_heads()
    tokens, rows = some_rows(LENGTHS)
    out = net.outputs(tokens, rows, [*TOKEN, "score"])
    order = [3, 0, 4, 2, 1]
    parts = tokens.split(LENGTHS)
    lengths = torch.tensor([LENGTHS[r] for r in order])
    moved = Rows(torch.arange(5).repeat_interleave(lengths), torch.cat([rows.mask.split(LENGTHS)[r] for r in order]), 5)
    again = net.outputs(torch.cat([parts[r] for r in order]), moved, [*TOKEN, "score"])
    for name in TOKEN:
        expected = torch.cat([out[name].split(LENGTHS)[r] for r in order])
        torch.testing.assert_close(again[name], expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(again["score"], out["score"][order], rtol=0, atol=1e-12)


def test_only_written_tokens_have_logp_and_never_the_first_of_a_row():
    net = network()
    tokens, rows = some_rows([4, 4])
    everything = net.outputs(tokens, rows, ["logp"], written=torch.ones(8, dtype=torch.bool))["logp"]
    assert (everything == 0).tolist() == [True, False, False, False] * 2
    masked = net.outputs(tokens, rows, ["logp"])["logp"]
    torch.testing.assert_close(masked, torch.where(rows.mask, everything, 0), rtol=0, atol=1e-12)
    none = net.outputs(tokens, rows, ["logp", "entropy"], written=torch.zeros(8, dtype=torch.bool))
    assert not none["logp"].any()
    assert not none["entropy"].any()


def test_temperature_divides_the_logits():
    net = network()
    tokens, rows = some_rows(LENGTHS)
    warm = net.outputs(tokens, rows, ["logp", "logits"], temperature=2.0)
    cold = net.outputs(tokens, rows, ["logits"])["logits"]
    torch.testing.assert_close(warm["logits"], cold / 2, rtol=0, atol=1e-12)
    each = torch.linspace(0.5, 2, len(tokens), dtype=torch.float64)
    logp = net.outputs(tokens, rows, ["logp"], temperature=each)["logp"]
    log_p = (cold / each[:, None]).log_softmax(-1)
    chosen = logp != 0
    torch.testing.assert_close(logp[chosen], log_p[torch.arange(len(tokens)), tokens][chosen], rtol=0, atol=1e-12)
    greedy = net.outputs(tokens, rows, ["logp"], temperature=0.0)["logp"]
    torch.testing.assert_close(greedy, net.outputs(tokens, rows, ["logp"])["logp"])


@pytest.mark.parametrize("architecture", ["Llama", "GPT2"])
def test_checkpointing_and_train_mode_change_nothing(architecture):
    tokens, rows = some_rows(LENGTHS)

    def gradients(net):
        net.outputs(tokens, rows, ["logp"])["logp"].sum().backward()
        return [p.grad for p in net.parameters()]

    eager, saving = network(architecture), network(architecture)
    saving.checkpointing(True)
    calls = []
    saving.trunk.base_model.get_input_embeddings().register_forward_hook(lambda *_: calls.append("forward"))
    layer = next(m for m in saving.modules() if type(m).__name__ in ("LlamaMLP", "GPT2MLP")).get_submodule(
        {"Llama": "up_proj", "GPT2": "c_fc"}[architecture]
    )
    layer.register_forward_hook(lambda *_: calls.append("layer"))
    for actual, expected in zip(gradients(saving.train()), gradients(eager.eval()), strict=True):
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)
    assert calls.count("forward") == 1
    assert calls.count("layer") == 2  # again in the backward pass


def test_outputs_of_bfloat16_are_float32():
    net = with_heads()
    net.trunk.bfloat16()
    tokens, rows = some_rows(LENGTHS)
    out = net.outputs(tokens, rows, ["logp", "entropy", "logits"])
    assert {x.dtype for x in out.values()} == {torch.float32}
    small = network()
    small.trunk.bfloat16()
    small.add_head("value")
    assert small.outputs(tokens, rows, ["value"])["value"].dtype == torch.float32


def test_a_new_head_is_zero_or_seeded_and_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    net = network()
    net.add_head("value")
    assert not net.heads["value"].weight.any()
    net.add_head("score", seed=3)
    twin = network()
    twin.add_head("score", seed=3)
    assert torch.equal(net.heads["score"].weight, twin.heads["score"].weight)
    assert net.heads["score"].weight.std() > 0.05
    assert torch.equal(before, torch.get_rng_state())


def test_unknown_outputs_and_missing_heads_are_named():
    net = network()
    tokens, rows = some_rows([3])
    with pytest.raises(ModelError, match=r"no output 'logps' \(did you mean 'logp'\?\)"):
        net.outputs(tokens, rows, ["logps"])
    with pytest.raises(ModelError, match="the output value needs a value head; add_head"):
        net.outputs(tokens, rows, ["value"])
    with pytest.raises(ModelError, match="no head 'scor'"):
        net.add_head("scor")


def test_every_output_is_a_file_and_has_the_axes_that_it_says():
    net = with_heads()
    net.add_head("constant")
    net.add_head("doubt")
    net.add_head("gate")
    net.add_head("prototype", size=2)
    tokens, rows = some_rows(LENGTHS)
    sizes = {"K": 1, "T": len(tokens), "B": rows.count, "V": net.vocab_size, "D": net.unembedding[0].shape[1]}
    alone = [name for name in names() if name != "diversity"]  # which is that of members of an ensemble
    for name, made in net.outputs(tokens, rows, alone).items():
        assert made.shape == tuple(sizes[axis] for axis in output(name).axes.split()), name


def test_a_head_of_several_numbers_gives_each_row_several():
    net, tokens, rows = network(), *some_rows(LENGTHS)
    net.add_head("score", seed=3, size=4)
    out = net.outputs(tokens, rows, ["score", "prefix_score", "feature"])
    assert out["score"].shape == (rows.count, 4)
    last = rows.sizes.cumsum(0) - 1
    assert torch.equal(out["prefix_score"][last], out["score"])
    head = net.heads["score"]
    assert torch.allclose(out["feature"] @ head.weight.T + head.bias, out["score"])


def test_the_score_of_a_prefix_is_the_score_of_the_row_that_ends_there():
    net = with_heads()
    tokens, rows = some_rows([5])
    whole = net.outputs(tokens, rows, ["prefix_score"])["prefix_score"]
    for n in range(1, 6):
        cut = Rows(rows.index[:n], rows.mask[:n], 1)
        torch.testing.assert_close(net.outputs(tokens[:n], cut, ["score"])["score"][0], whole[n - 1])


def test_a_copy_is_frozen_and_stays_behind():
    net = network()
    tokens, rows = some_rows(LENGTHS)
    reference = net.copy()
    before = reference.outputs(tokens, rows, ["logp"])["logp"]
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1)
    assert torch.equal(reference.outputs(tokens, rows, ["logp"])["logp"], before)
    assert not any(p.requires_grad for p in reference.parameters())
    assert all(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_probe_accepts_what_is_supported(architecture):
    probe(network(architecture))


@pytest.mark.parametrize(
    ("architecture", "settings", "reason"),
    [
        ("Gemma2", {}, "softcap"),
        ("Cohere", {}, "other logits on flat tokens"),  # scales its logits
        ("OPT", {}, "other logits on flat tokens"),  # computes positions of its own
        ("Bloom", {}, "attention interface"),
        ("Lfm2", {"layer_types": ["conv", "full_attention", "conv"]}, "layers .0, 2. of Lfm2ForCausalLM"),
    ],
)
def test_the_probe_refuses_what_would_be_wrong(architecture, settings, reason):
    with pytest.raises(ModelError, match=reason):
        probe(network(architecture, **settings))


def test_the_probe_finds_dropout_that_is_still_on():
    model = trunk("GPT2")
    net = Network(model)
    model.transformer.drop.p = 0.5
    with pytest.raises(ModelError, match="other logits"):
        probe(net)


def test_vocabulary_and_context():
    net = network()
    assert (net.vocab_size, net.context) == (VOCABULARY, 64)


def test_a_gate_reads_the_end_of_the_prompt_and_mixes_the_numbers_of_the_score():
    net, (tokens, rows) = network(), some_rows(LENGTHS)
    net.add_head("score", seed=3, size=4)
    net.add_head("gate", seed=4, size=2)
    out = net.outputs(tokens, rows, ["score", "scores", "gate", "hidden"])
    for r, prompt in enumerate(rows.prefix_length().clamp(min=1).tolist()):
        state = out["hidden"][rows.index == r][prompt - 1]
        torch.testing.assert_close(out["gate"][r], net.heads["gate"](state))
        weights, pairs = out["gate"][r].softmax(0), out["scores"][r].reshape(2, 2)  # two numbers of each attribute
        torch.testing.assert_close(out["score"][r], weights @ pairs.mean(1))
    slopes = torch.autograd.grad(out["gate"].sum(), [*net.parameters()], allow_unused=True)
    assert {n for (n, _), g in zip(net.named_parameters(), slopes, strict=True) if g is not None} == {
        "heads.gate.weight",
        "heads.gate.bias",
    }


def test_states_are_drawn_to_prototypes_before_they_are_scored_anywhere():
    net, (tokens, rows) = network(), some_rows(LENGTHS)
    net.add_head("score", seed=3)
    plain = net.outputs(tokens, rows, ["feature", "score"])
    net.add_head("prototype", seed=5, size=3)
    out = net.outputs(tokens, rows, ["score", "scores", "prefix_score", "prototype_distances"])
    points = net.heads["prototype"].weight
    torch.testing.assert_close(out["score"], net.heads["score"](drawn(plain["feature"], points))[:, 0])
    assert not torch.allclose(out["score"], plain["score"])
    assert torch.equal(out["scores"][:, 0], out["score"])
    torch.testing.assert_close(out["prefix_score"][rows.sizes.cumsum(0) - 1], out["score"])
    assert out["prototype_distances"].shape == (rows.count, 3)
