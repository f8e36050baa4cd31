import math
from functools import partial

import pytest
import torch

from posttrain.catalogue.index import load_decoder
from posttrain.core.rows import Rows
from posttrain.errors import ConfigError, ModelError
from posttrain.launch.steering import vectors
from posttrain.models import llama
from posttrain.models.activations import activations
from posttrain.models.attention import Packed
from posttrain.sampling.decoders.infer_aligner import infer_aligner
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import Pause
from tests.models.tiny import network, padded
from tests.sampling.decoders.drawn import check, drawn, requests

pytestmark = pytest.mark.paper("wang2024w7p")

LAYERS, WIDTH = 3, 32


def test_golden():
    """Harm is along the first axis from 1 on; then the shift is 2 (0, 3)."""
    hidden, parts = (
        torch.tensor([[0.5, 0.5]]),
        (torch.tensor([[0.0, 3.0]]), torch.tensor([[1.0, 0.0]]), torch.tensor([-1.0])),
    )
    shifted = partial(infer_aligner, hidden, layer=0, safety=parts[0], related=parts[1], bias=parts[2], strength=2.0)
    assert shifted(asked=torch.tensor([1.5, -9.0])).tolist() == [[0.5, 6.5]]
    assert shifted(asked=torch.tensor([0.5, 9.0])).tolist() == [[0.5, 0.5]]


def test_golden_vectors():
    """Two harmful prompts and one harmless, one layer of four: means 4 and 2 on the first axis, 6 and 2 if aligned."""
    own = torch.tensor([[[3.0, 1.0]], [[5.0, 1.0]], [[2.0, 1.0]]]).expand(3, 4, 2)
    aligned = torch.tensor([[[6.0, 0.0]], [[6.0, 0.0]], [[2.0, 1.0]]]).expand(3, 4, 2)
    made = vectors(own, aligned, torch.tensor([True, True, False]), 0.25, 0.75)
    assert made["safety"][0].tolist() == [4, -1]
    assert made["related"][0].tolist() == [1, 0]
    assert made["bias"].tolist() == [-math.inf, -3, -3, -math.inf]


def gates(*opened):
    """Parts whose gates are open in some layers whatever is asked."""
    generator = torch.Generator().manual_seed(0)
    bias = torch.full((LAYERS,), -math.inf)
    bias[list(opened)] = 1.0
    return {
        "safety": torch.randn(LAYERS, WIDTH, generator=generator),
        "related": torch.zeros(LAYERS, WIDTH),
        "bias": bias,
    }


def test_a_harmless_prompt_gives_the_bits_of_the_model():
    networks, asked = {"policy": network(seed=1)}, requests(1)
    alone = drawn(networks, (("policy", 1.0),), asked)
    assert drawn(networks, load_decoder("infer_aligner", parts=gates()), asked) == alone
    assert drawn(networks, load_decoder("infer_aligner", parts=gates(1)), asked) != alone
    none = load_decoder("infer_aligner", {"strength": 0.0}, parts=gates(1))
    assert drawn(networks, none, asked) == alone


def test_what_is_drawn_and_recorded_is_of_the_shifted_activations():
    """The layers after a shift read it at every token, as one pass over prompt and answer does."""
    net, parts, asked = network(seed=1), gates(0, 2), requests(3)
    made = drawn({"policy": net}, load_decoder("infer_aligner", {"strength": 0.7}, parts=parts), asked)

    def scores(request, completion):
        tokens = torch.tensor(request.prompt + completion.tokens)
        shift = lambda layer, x: x + 0.7 * parts["safety"][layer] if layer in (0, 2) else x  # noqa: E731
        with torch.no_grad():
            states = net.states(tokens, Packed([len(tokens)]), shift)
            return net.logits(states[len(request.prompt) - 1 : -1])

    check(asked, made, scores)


def test_the_gate_reads_what_the_unchanged_model_makes_of_the_prompt():
    """A prompt on one side of the threshold is shifted and the other is not, whatever else is asked with it."""
    net, asked = network(seed=1), requests(4)
    found = activations(net, [r.prompt for r in asked])
    assert found.shape == (4, LAYERS, WIDTH)
    related = torch.zeros(LAYERS, WIDTH)
    related[1] = torch.nn.functional.normalize(found[0, 1] - found[1, 1], dim=0).float()
    threshold = float((found[0, 1] + found[1, 1]).float() @ related[1]) / 2
    bias = torch.tensor([-math.inf, -threshold, -math.inf])
    decoder = load_decoder("infer_aligner", {"strength": 3.0}, parts=gates() | {"related": related, "bias": bias})
    shifted, alone = (drawn({"policy": net}, source, asked) for source in (decoder, (("policy", 1.0),)))
    assert shifted[0].logp != pytest.approx(alone[0].logp)
    assert shifted[1].logp == pytest.approx(alone[1].logp)


def test_activations_are_what_leaves_each_layer():
    """The last layer's, normalised, is the state that predicts; each prompt is read alone."""
    net, prompts = network(seed=1), [(3, 4, 5), (7, 8)]
    made = activations(net, prompts)
    for prompt, found in zip(prompts, made, strict=True):
        rows = Rows(torch.zeros(len(prompt), dtype=torch.long), torch.ones(len(prompt), dtype=torch.bool), 1)
        with torch.no_grad():
            state = net.outputs(torch.tensor(prompt), rows, ["hidden"])["hidden"][-1]
        torch.testing.assert_close(llama._norm(net.trunk.model.norm, found[-1:])[0], state)


def test_what_cannot_be_edited_is_an_error():
    decoder = load_decoder("infer_aligner", parts=gates(1))
    with pytest.raises(ConfigError, match="reads safety, related, bias, which are saved with a model"):
        load_decoder("infer_aligner")
    with pytest.raises(ModelError, match="activations can be edited in Llama"):
        drawn({"policy": network("GPT2")}, decoder, requests())
    with pytest.raises(ModelError, match="activations can be edited in Llama"):
        activations(padded(), [(3, 4)])
    with pytest.raises(ConfigError, match="cannot be suspended"):
        Engine({"policy": network()}, frozenset()).generate(requests(), decoder, pause=Pause(each=1))
