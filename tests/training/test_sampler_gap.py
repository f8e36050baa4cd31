"""The limit on the disagreement of sampler and trainer."""

import pytest

from posttrain.errors import ConfigError, NumericsError
from posttrain.training.sampler_gap import GAP, check_gap
from tests.harness.runs import SUMS, run


def test_a_gap_above_the_limit_stops_the_run():
    check_gap({GAP: 9.0}, None)
    check_gap({GAP: 0.1}, 0.1)
    for gap in (0.11, float("nan")):
        with pytest.raises(NumericsError, match="more than sampler.max_gap=0.1"):
            check_gap({GAP: gap}, 0.1)
    with pytest.raises(ConfigError, match="rollout_correction: tis"):
        check_gap({}, 0.1)


def test_a_run_that_disagrees_with_itself_stops(tmp_path):
    """Half of the policy's layers are lost on the way to the sampler: nothing else of the run can tell."""
    from posttrain.backends.local.sampler import LocalSampler

    file = {
        "model": "tiny",
        "method": "online/grpo",
        "data": f"{SUMS},size=4",
        "rewards": "math_answer",
        "sampling": {"samples": 2, "max_tokens": 4},
        "train": {"steps": 1, "prompts_per_step": 2},
        "sampler": {"max_gap": 0.01},
    }
    run(file, tmp_path, "name=whole")

    def lossy(self, *args, **settings):
        made = generate(self, *args, **settings)
        return [type(c)(c.tokens, tuple(x - 0.5 for x in c.logp), c.ended, c.versions, c.finished) for c in made]

    generate = LocalSampler.generate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalSampler, "generate", lossy)
        with pytest.raises(NumericsError, match="differ by 0.5 nats"):
            run(file, tmp_path, "name=lossy")
