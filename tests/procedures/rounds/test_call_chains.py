"""DPO on the steps of chains lowers the share of malformed calls, from the environment to the model and back."""

import pytest

from tests.harness.runs import run
from tests.procedures.running import collected

pytestmark = pytest.mark.paper("manduzio2024b9l")

TILL = '''
"""A till: a call is a number, and anything else is malformed."""
from posttrain.environments.environment import Environment, Outcome


class Till(Environment):
    """A till."""

    @classmethod
    def tasks(cls, count, seed):
        return [{"prompt": [{"role": "user", "content": f"{i}+{seed}="}]} for i in range(count)]

    def step(self, action):
        good = action.text[:1].isdigit()
        return Outcome(reward=float(good), done=True, info={"calls": 1, "unread": int(not good)})
'''


def test_the_share_of_malformed_calls_falls(tmp_path):
    (tmp_path / "till.py").write_text(TILL)
    content = {
        "model": "tiny",
        "environment": {"path": f"{tmp_path}/till.py", "max_turns": 1, "workers": 1},
        "procedure": {"path": "call_chains", "samples": 16, "dpo": {"steps": 12}},
        "data": {
            "prompts": {"path": "environment", "size": 16},
            "held_out": {"path": "environment:seed=1", "size": 64},
        },
        "sampling": {"max_tokens": 1, "slots": 64},
        "train": {"prompts_per_step": 8, "learning_rate": 2e-3},
        "seed": 3,
    }
    done = run(content, tmp_path / "run")
    before, after = (done.metrics[f"malformed_calls/{when}"] for when in ("before", "after"))
    assert after < 0.7 * before
    for name, share in (("held-out-before", before), ("held-out-after", after)):
        texts = [row["completion"] for row in collected(done.directory, name)]
        assert share == pytest.approx(sum(not text[:1].isdigit() for text in texts) / 64)
