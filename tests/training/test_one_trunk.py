"""A whole pipeline with adapters: reward model, policy and critic are trained, and the trunk stays what it was."""

import pytest
import torch

from posttrain.backends.local.descent import frozen
from posttrain.config import load
from posttrain.launch.run import open_session
from posttrain.procedures.pipelines.instructgpt import instructgpt
from tests.harness.runs import SHORT, SUMS

pytestmark = pytest.mark.paper("000:[82]", "sidahmed20244mc", "sidahmed2024ikf")
ONE = {"steps": 1}


def test_instructgpt_with_adapters_trains_three_roles_on_one_trunk(tmp_path):
    data = {"demonstrations": f"{SUMS},size=8", "pairs": f"{SUMS},size=8", "prompts": f"{SUMS},size=8"}
    model = {"path": "tiny", "lora": {"rank": 2, "targets": ["q_proj", "v_proj"]}}
    content = {"model": model, "procedure": "instructgpt", "data": data}
    file = load(content, [*(f"{k}={v}" for k, v in SHORT.items()), f"output={tmp_path}"])
    with open_session(file) as session:
        models, notes = session.run.learner.models, []
        session.run.display.start = lambda *said, **_: notes.extend(said[2])
        trunk = {n: p.clone() for n, p in frozen(models["policy"]).items()}
        read = {n: session.dataset(file.data[n], n) for n in data}
        instructgpt(session, **read, sft=ONE, reward=ONE, ppo={**ONE, "settings": {"passes": 1}})
        trunks = [frozen(models[role]) for role in ("policy", "reference", "reward", "critic")]
    for other in trunks:
        assert all(p is trunks[0][n] and torch.equal(p, trunk[n]) for n, p in other.items())
    assert all(p.abs().max() > 0 for n, p in models["critic"].named_parameters() if "lora_B" in n)
    counted = [line for line in notes if line.startswith("trains ")]
    assert len(counted) == 3
    assert counted[0] == "trains policy 2,304 of 304,704 (0.76%) parameters"
    assert "critic " in counted[2]
