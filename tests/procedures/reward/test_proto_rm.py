"""A reward model with prototypes is saved with them, and is no sequence classifier of transformers."""

import json

import pytest
from transformers import AutoConfig

from posttrain.models.loading.load import load
from tests.harness.runs import run
from tests.training.test_role_rewards import PAIRS

pytestmark = pytest.mark.paper("000:[38]")


def test_it_is_saved_with_its_prototypes(tmp_path):
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PAIRS))
    asked = {
        "model": "tiny",
        "procedure": {"path": "reward/proto_rm", "most": 3, "reward": {"steps": 1}},
        "data": {"pairs": str(tmp_path / "pairs.jsonl")},
        "train": {"prompts_per_step": 4},
    }
    made = str(run(asked, tmp_path / "run").model)
    assert 2 <= len(load(made).network.heads["prototype"].weight) <= 3
    assert "Classification" not in AutoConfig.from_pretrained(made).architectures[0]
