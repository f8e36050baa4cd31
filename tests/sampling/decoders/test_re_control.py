import pytest
import torch

from posttrain.catalogue.index import load_decoder
from posttrain.sampling.decoders.re_control import re_control
from tests.models.tiny import network
from tests.sampling.decoders.drawn import check, drawn, outputs, requests

pytestmark = pytest.mark.paper("000:[92]")

STATES = torch.tensor([[0.5, -1.0], [2.0, 0.0]])


def identity(states):
    return states


def squared(states):
    """V = -|h|²/2, whose gradient is -h."""
    return -(states**2).sum(-1) / 2


def test_golden():
    """Each step of -h leaves the share 1 - η of the state: 0.9³."""
    edited = re_control(STATES, identity, squared, steps=3, rate=0.1)
    torch.testing.assert_close(edited, 0.729 * STATES)


def test_a_linear_value_moves_every_state_along_its_weights():
    weight = torch.tensor([3.0, -2.0])
    edited = re_control(STATES, identity, lambda h: h @ weight + 5, steps=4, rate=0.25)
    torch.testing.assert_close(edited, STATES + 4 * 0.25 * weight)


def test_small_steps_raise_the_value_monotonously():
    values = [squared(re_control(STATES, identity, squared, steps=n, rate=0.05)) for n in range(6)]
    assert all(bool((b > a).all()) for a, b in zip(values, values[1:], strict=False))


def with_value(seed=1):
    net = network(seed=seed)
    net.add_head("value", seed=3)
    return net


def test_without_steps_it_is_the_model_bit_for_bit():
    networks, asked = {"policy": with_value()}, requests()
    assert drawn(networks, load_decoder("re_control", {"steps": 0}), asked) == drawn(
        networks, (("policy", 1.0),), asked
    )


def test_what_is_drawn_and_recorded_is_of_the_edited_states():
    net, asked = with_value(), requests()
    made = drawn({"policy": net}, load_decoder("re_control", {"steps": 2, "rate": 3.0}), asked)

    def scores(request, completion):
        (states,) = outputs(net, request.prompt + completion.tokens, "hidden")
        before = states[len(request.prompt) - 1 : -1]
        return net.logits(before + 6.0 * net.heads["value"].weight).detach()

    check(asked, made, scores)


def test_a_run_saves_the_value_head_and_leaves_the_model_alone(tmp_path, capsys):
    import posttrain
    from posttrain.cli import main as cli
    from posttrain.models.loading.load import load

    rows = [{"prompt": f"{i}=", "completion": str(i), "reward": float(i)} for i in range(2)]
    settings = {"steps": 2, "prompts_per_step": 2, "learning_rate": 0.5, "save_minutes": 0}
    model = {"path": "tiny", "trained": "heads"}
    made = posttrain.train(model, "offline/re_control", rows, train=settings, output=tmp_path, display=None)
    start, end = (load(x).network for x in ("tiny", str(made.model)))
    assert all(torch.equal(x, end.trunk.state_dict()[n]) for n, x in start.trunk.state_dict().items())
    assert end.heads["value"].weight.abs().max() > 0.1

    def sample(*more):
        with pytest.raises(SystemExit):
            cli.main(["sample", str(made.directory), "1=", "--plain", "--max-tokens", "8", *more])
        return capsys.readouterr()

    assert "decoded with re_control" in sample().err
    assert sample("--decoder", "re_control:steps=0").out == sample("--decoder", "none").out
