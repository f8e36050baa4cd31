import json

import pytest
import torch

from posttrain.catalogue.index import load_decoder
from posttrain.sampling.decoders.ilql import ilql
from tests.models.tiny import network
from tests.sampling.decoders.drawn import check, drawn, logits, requests

pytestmark = pytest.mark.paper("000:[89]")

POLICY = torch.tensor([[0.5, 0.3, 0.2]]).log()
Q1, Q2 = torch.tensor([[1.0, 2.0, 0.0]]), torch.tensor([[0.0, 3.0, 0.5]])


def test_golden():
    """The lower values are 0, 2 and 0: 0.5, 0.3 e and 0.2 of a β of a half."""
    weights = ilql(POLICY, Q1, Q2, beta=0.5).softmax(-1)[0].tolist()
    total = 0.5 + 0.3 * 2.718281828 + 0.2
    assert weights == pytest.approx([0.5 / total, 0.3 * 2.718281828 / total, 0.2 / total])


def test_without_a_weight_it_is_the_policy_and_a_value_changes_nothing():
    assert torch.equal(ilql(POLICY, Q1, Q2, beta=0.0), POLICY)
    shifted = ilql(POLICY, Q1 - 0.7, Q2 - 0.7, beta=2.0).softmax(-1)  # Q - V
    torch.testing.assert_close(shifted, ilql(POLICY, Q1, Q2, beta=2.0).softmax(-1))


def test_what_is_drawn_and_recorded_is_guided():
    networks = {name: network(seed=i) for i, name in enumerate(("policy", "target_q1", "target_q2"))}
    asked = requests()
    made = drawn(networks, load_decoder("ilql", {"beta": 0.5}), asked)
    check(asked, made, lambda r, c: ilql(*(logits(n, r, c) for n in networks.values()), beta=0.5))


def test_a_run_saves_the_targets_and_the_command_answers_by_them(tmp_path, capsys):
    import posttrain
    from posttrain.cli import main as cli
    from posttrain.models.loading.load import load
    from posttrain.runs.decoder import decoder_in

    rows = [{"prompt": f"{i}=", "completion": str(i), "reward": float(i)} for i in range(2)]
    settings = {"steps": 1, "prompts_per_step": 2, "learning_rate": 1e-2, "save_minutes": 0}
    made = posttrain.train("tiny", "offline/ilql", rows, train=settings, output=tmp_path, display=None)
    saved = decoder_in(str(made.directory))
    assert sorted(saved.models) == ["target_q1", "target_q2"]
    start, target = (load(x).network.trunk.state_dict() for x in ("tiny", str(saved.models["target_q1"])))
    moved = max(float((target[n] - x).abs().max()) for n, x in start.items())
    assert 0 < moved < 1e-3  # half a percent of the way of q1, which moves by the learning rate

    def sample(*more):
        with pytest.raises(SystemExit):
            cli.main(["sample", str(made.directory), "1=", "--plain", "--max-tokens", "8", *more])
        return capsys.readouterr()

    guided, alone = sample(), sample("--decoder", "none")
    assert "decoded with ilql" in guided.err
    assert "decoded with" not in alone.err
    assert guided.out != alone.out == sample("--decoder", "ilql:beta=0.0").out
    assert json.loads((made.model / "decoder" / "decoder.json").read_text()) == {"decoder": "ilql", "settings": {}}
