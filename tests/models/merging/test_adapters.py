"""Sums and means of LoRA adapters are adapters."""

from __future__ import annotations

import json

import pytest
import torch

from posttrain.errors import ConfigError, ModelError
from posttrain.models.adapters import merged_state, save_adapter
from posttrain.models.loading.adapter import adapter_in
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.lora import add_lora
from posttrain.models.merging.adapters import merge_adapters
from posttrain.models.merging.folder import folder_of
from posttrain.models.merging.merge import Merge


@pytest.fixture
def adapters(tmp_path):
    """Two adapters of the same layers with other ranks and scales, and the updates that they make."""
    plain = tiny_model()[0].trunk.state_dict()
    updates = []
    for seed, (rank, rslora) in enumerate([(2, False), (3, True)]):
        network, _ = tiny_model()
        add_lora(network, rank, 4.0, ["q_proj", "up_proj"], seed=seed, rslora=rslora)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, p in network.trunk.named_parameters():
                if ".lora_B" in name:
                    p.copy_(torch.randn(p.shape, generator=generator) * 0.1)
        network.trunk.name_or_path = "tiny"
        save_adapter(network, tmp_path / f"{seed}")
        updates.append({n: x - plain[n] for n, x in merged_state(network).items()})
    return tmp_path, updates, plain


@pytest.mark.parametrize(
    ("merge", "factors"),
    [
        (Merge(), (0.5, 0.5)),
        (Merge("linear", (1.0, 3.0), share=0.5), (0.125, 0.375)),
        (Merge("task_arithmetic", (1.0, -2.0)), (1.0, -2.0)),
    ],
)
def test_the_update_is_the_sum_of_the_updates(adapters, merge, factors):
    folder, updates, plain = adapters
    merge_adapters([folder_of(str(folder / n)) for n in "01"], merge, folder / "out")
    network, _ = tiny_model()
    trunk = adapter_in(folder / "out").merged_into(network.trunk).state_dict()
    for name, x in plain.items():
        expected = x + sum(f * u[name] for f, u in zip(factors, updates, strict=True))
        torch.testing.assert_close(trunk[name], expected, rtol=0, atol=1e-6)
    said = json.loads((folder / "out" / "adapter_config.json").read_text())
    assert (said["r"], said["lora_alpha"], said["use_rslora"]) == (5, 5, False)
    assert json.loads((folder / "out" / "merge.json").read_text())["merge"]["rule"] == merge.rule


def test_what_has_no_exact_sum_is_refused(adapters):
    folder, _, _ = adapters
    models = [folder_of(str(folder / n)) for n in "01"]
    with pytest.raises(ConfigError, match=r"for slerp write each as a whole model first: posttrain export"):
        merge_adapters(models, Merge("slerp"), folder / "out")
    for key, value, message in (
        ("base_model_name_or_path", "other", "give adapters of one model"),
        ("use_dora", True, "use_dora is set"),
        ("peft_type", "IA3", "is an adapter of IA3, and sums are of LoRA"),
    ):
        file = folder / "1" / "adapter_config.json"
        content = file.read_text()
        file.write_text(json.dumps(json.loads(content) | {key: value}))
        with pytest.raises(ModelError, match=message):
            merge_adapters(models, Merge(), folder / "out")
        file.write_text(content)
