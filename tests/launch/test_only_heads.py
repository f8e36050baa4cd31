"""A linear probe: the heads are trained, and the layers stay as they are."""

import pytest
import torch

from posttrain.config.load import load
from posttrain.errors import ConfigError, ModelError
from posttrain.models.loading.load import load as load_model
from tests.harness.runs import SHORT, SUMS, metrics, run

PROBE = {"model": {"path": "tiny", "trained": "heads"}, "method": "reward/bradley_terry", "data": f"{SUMS},size=8"}
BRIEF = [f"{k}={v}" for k, v in SHORT.items() if k.startswith("train")]


def test_the_layers_stay_as_they_are_and_the_head_learns(tmp_path):
    result = run(PROBE, tmp_path, *BRIEF, "train.steps=6", "train.learning_rate=0.01")
    before, after = load_model("tiny").network, load_model(str(result.model)).network
    for name, weight in before.trunk.state_dict().items():
        assert torch.equal(after.trunk.state_dict()[name], weight), name
    rows = metrics(result)
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_a_method_without_a_head_and_adapters_beside_it_are_refused(tmp_path):
    with pytest.raises(ModelError, match="model.trained is heads, but the method trains a model without any"):
        run({**PROBE, "method": "preference/dpo"}, tmp_path, *BRIEF, "train.steps=1")
    with pytest.raises(ConfigError, match="heads would leave the adapters as they begin"):
        load({**PROBE, "model": {**PROBE["model"], "lora": {}}})
