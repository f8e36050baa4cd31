import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("du2025zfp")

VAR = load("imitation/var")
LOGP, REF, REWARD = [[-1.0, -2.0], [-4.0], [-0.5, -0.5, -1.0]], [-2.5, -1.0, -3.0], [1.0, 0.0, 0.5]


def listed(rewards=REWARD, group=0):
    rows = enumerate(zip(LOGP, REF, rewards, strict=True))
    own = [(p, [q / len(p)] * len(p), {"reward": r, "rank": i, "group": group}) for i, (p, q, r) in rows]
    return [answer(logp=p, ref_logp=q, **columns) for p, q, columns in own]


def test_golden_two_lists_do_not_mix():
    both = step(VAR, *listed(), *listed([0.0, 0.0, 9.0], group=3)).metrics["loss"]
    alone = [step(VAR, *listed(r)).metrics["loss"] for r in (REWARD, [0.0, 0.0, 9.0])]
    assert both == pytest.approx(sum(alone) / 2)


def test_with_equal_weights_it_is_fine_tuning():
    even = step(configure(VAR, {"prior": 0.0, "temperature": 1e9}), *listed())
    sft = step(configure(load("imitation/sft"), {"loss.reduce": "sequence_sum"}), *listed())
    assert even.gradient("logp") == [pytest.approx(g, rel=1e-8) for g in sft.gradient("logp")]


def test_at_temperature_zero_it_is_fine_tuning_on_the_best():
    cold = step(configure(VAR, {"prior": 0.0, "temperature": 1e-3}), *listed())
    assert [g[0] for g in cold.gradient("logp")] == pytest.approx([-1.0, 0.0, 0.0], abs=1e-100)


def test_rewards_and_temperature_scale_together():
    twice = step(configure(VAR, {"temperature": 2.0}), *listed([2 * r for r in REWARD]))
    assert twice.metrics["loss"] == pytest.approx(step(VAR, *listed()).metrics["loss"])


def test_no_answer_is_ever_pushed_down():
    assert all(x <= 0 for g in step(VAR, *listed([-9.0, 3.0, -5.0])).gradient("logp") for x in g)
