import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.formulas.guides import growing_rest
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("001-text:MIXER")

MIXER, A2C, SFT = load("online/mixer"), load("online/a2c"), load("imitation/sft")
SAME = {n: [-1.0, -2.0, -1.5] for n in ("logp", "old_logp", "rollout_logp")}
VALUES = {"value": [0.5, 0.25, 0.1], "old_value": [0.5, 0.25, 0.1]}


def mixed(guided, **values):
    return answer(**SAME, **VALUES, guided=guided, reward=1.0, **values)


def test_golden_schedule():
    """Two steps of imitation, then Δ grows by 2 every 3 steps: of 5 tokens 3 are given, then 1, then none."""
    cuts = [growing_rest(5, step, warmup=2, rest=2, every=3) for step in range(9)]
    assert cuts == [5, 5, 3, 3, 3, 1, 1, 1, None]
    assert growing_rest(2, 2, warmup=2, rest=2, every=3) is None


def test_a_whole_reference_is_imitated():
    one = step(MIXER, mixed([1.0, 1.0, 1.0]))
    sums = step(configure(SFT, {"loss.reduce": "sequence_sum"}), answer(logp=SAME["logp"]))
    assert one.metrics["loss"] == sums.metrics["loss"]
    assert one.gradient("logp") == sums.gradient("logp")
    assert one.gradient("value")[0] == [0, 0, 0]


def test_an_answer_without_a_reference_is_reinforced():
    one = step(MIXER, mixed([0.0, 0.0, 0.0]))
    alone = step(A2C, answer(**SAME, **VALUES, reward=1.0))
    assert one.metrics["loss"] == alone.metrics["loss"]
    assert one.gradient("logp") == alone.gradient("logp")
    assert one.gradient("value") == alone.gradient("value")


def test_each_token_is_learned_in_one_way():
    one = step(MIXER, mixed([1.0, 1.0, 0.0]))
    assert one.gradient("logp")[0] == [-1, -1, pytest.approx(-0.9)]
    assert one.gradient("value")[0] == [0, 0, pytest.approx(-0.5 * 0.9 / 3)]


def test_the_reference_is_written_by_the_data_and_trained():
    (sampling,) = MIXER.streams["main"].sampling
    assert (sampling.guide.writes, sampling.guide.by, sampling.guide.train) == ("beginning", None, True)
