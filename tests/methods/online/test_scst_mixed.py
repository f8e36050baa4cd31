import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.online.group import group

pytestmark = pytest.mark.paper("001-text:SCST")

MIXED, SCST, SFT = load("online/scst_mixed"), load("online/scst"), load("imitation/sft")
SAMPLES = [*group(), *group([0.5], [1], author=1, train=False)]
REFERENCES = [answer(logp=[-1.0, -2.0]), answer(logp=[-3.0])]


def mixed(share):
    settings = {"policy.weight": share, "imitation.weight": 1 - share}
    return step(configure(MIXED, settings), *SAMPLES, others={"demonstrations": REFERENCES})


def test_only_reinforcement_is_scst():
    assert mixed(1.0).gradient("logp") == step(SCST, *SAMPLES).gradient("logp")


def test_only_likelihood_is_sft():
    sums = step(configure(SFT, {"loss.reduce": "sequence_sum"}), *REFERENCES)
    one = mixed(0.0)
    assert one.gradient("logp", "demonstrations") == sums.gradient("logp")
    assert one.metrics["loss"] == sums.metrics["loss"]


def test_the_mix_is_linear():
    quarter = mixed(0.25)
    for stream, pure in (("main", mixed(1.0)), ("demonstrations", mixed(0.0))):
        weight = 0.25 if stream == "main" else 0.75
        for got, whole in zip(quarter.gradient("logp", stream), pure.gradient("logp", stream), strict=True):
            assert got == pytest.approx([weight * x for x in whole], abs=1e-14)
