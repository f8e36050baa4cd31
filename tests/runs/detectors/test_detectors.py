"""Each detector sees what it is for, and says nothing about a healthy run."""

from random import Random

import pytest

from posttrain.runs.detectors import metrics
from posttrain.runs.detectors.answers import repeated, repetition, same_answer
from posttrain.runs.detectors.detect import curves_of, findings
from posttrain.runs.detectors.trend import first_step, trend

STEPS = 100


def curve(value, noise=0.0, steps=STEPS):
    """A curve of a function of the share of the run, with noise that is always the same."""
    random = Random(0)
    return list(range(1, steps + 1)), [value(n / steps) + random.gauss(0, noise) for n in range(steps)]


def ramp(first, last, noise=0.0):
    return curve(lambda t: first + t * (last - first), noise)


HEALTHY = {
    "reward": ramp(0.2, 0.7, 0.05),
    "eval/reward": ramp(0.2, 0.6, 0.05),
    "rewards/format/mean": ramp(0.5, 0.52, 0.05),
    "kl": ramp(0.0, 0.1, 0.005),
    "entropy": ramp(1.0, 0.6, 0.05),
    "frac_reward_zero_std": ramp(0.2, 0.5, 0.1),
    "completions/mean_length": ramp(200, 240, 20),
    "completions/clipped_ratio": ramp(0.1, 0.1, 0.03),
    "errors/reward_format": ramp(0.0, 0.0),
    "errors/abstained": ramp(3.0, 3.0),
    "grad_norm": ramp(1.0, 0.5, 0.1),
    "tokens_per_second": ramp(1000, 900, 100),
    "sampling/logp_difference": ramp(0.001, 0.002, 0.0005),
    "loss": ramp(2.0, 1.0, 0.1),
    "processes/slowest": ramp(1.05, 1.1, 0.02),
}
ILL = {
    "length drift": ({"completions/mean_length": ramp(200, 500, 20)}, "completions/mean_length"),
    "cut answers": ({"completions/clipped_ratio": ramp(0.1, 0.6, 0.03)}, "completions/clipped_ratio"),
    "dead groups": ({"frac_reward_zero_std": ramp(0.5, 0.95, 0.02)}, "frac_reward_zero_std"),
    "entropy collapse": ({"entropy": ramp(1.0, 0.05, 0.02)}, "entropy"),
    "KL acceleration": ({"kl": curve(lambda t: 0.5 * t**6)}, "kl"),
    "reward split": ({"eval/reward": ramp(0.6, 0.3, 0.05)}, "eval/reward"),
    "failures": ({"errors/reward_format": ramp(0.0, 2.0)}, "errors/reward_format"),
    "gradient spikes": ({"grad_norm": curve(lambda t: 50.0 if t == 0.4 else 1.0)}, "grad_norm"),
    "loss spikes": ({"loss": curve(lambda t: 9.0 if t == 0.4 else 2.0 - t, 0.05)}, "loss"),
    "straggler": ({"processes/slowest": ramp(1.1, 2.2, 0.02)}, "processes/slowest"),
    "sampling mismatch": ({"sampling/logp_difference": ramp(0.0, 0.4)}, "sampling/logp_difference"),
    "slowdown": ({"tokens_per_second": curve(lambda t: 1000 if t < 0.7 else 300, 20)}, "tokens_per_second"),
}


def test_a_healthy_run_gives_nothing():
    assert findings(HEALTHY) == []


@pytest.mark.paper("000:[24]")
@pytest.mark.parametrize("name", ILL)
def test_an_ill_run_gives_its_finding_alone(name):
    changed, metric = ILL[name]
    (found,) = findings({**HEALTHY, **changed})
    assert (found.name, found.metric) == (name, metric)
    assert found.since is not None
    assert found.says
    assert found.remedy


def test_there_is_an_ill_run_for_every_detector():
    assert len(ILL) == len(metrics.DETECTORS)


@pytest.mark.parametrize("name", ILL)
def test_a_short_run_gives_nothing(name):
    changed, _ = ILL[name]
    assert findings({n: (steps[-10:], values[-10:]) for n, (steps, values) in changed.items()}) == []


def test_noise_is_no_trend():
    for name, value in (("reward", 0.5), ("kl", 0.05), ("entropy", 0.5)):
        found = trend({name: ramp(value, value * 1.02, 0.3 * value)}, name)
        assert not found.rises()
        assert not found.falls()
    assert trend({"x": ramp(0, 1)}, "x").rises()
    assert trend({"x": ramp(1, 0)}, "x").falls()


def test_thresholds_from_both_sides():
    def kinds(**curves):
        return [f.name for f in findings(curves)]

    assert kinds(kl=ramp(0, 0.5)) == []  # it grows, and does not accelerate
    assert kinds(kl=curve(lambda t: 0.005 * t**6)) == []  # it is still nothing
    assert kinds(entropy=ramp(1.0, 0.4)) == []
    assert kinds(entropy=ramp(0.05, 1.0)) == []
    assert kinds(**{"completions/mean_length": ramp(500, 200, 5)}) == ["length drift"]
    assert kinds(reward=ramp(1, 0, 0.01), **{"eval/reward": ramp(1, 0, 0.01)}) == []  # both fall
    assert kinds(grad_norm=curve(lambda t: 0.0)) == []


def test_a_reward_that_rose_and_falls_again_is_a_split():
    up, hump = ramp(0.2, 0.8, 0.02), curve(lambda t: 0.2 + t * (1 - t), 0.02)
    (found,) = findings({"reward": up, "eval/reward": hump})
    assert found.name == "reward split"
    assert findings({"reward": up, "eval/reward": ramp(0.2, 0.8, 0.02)}) == []
    assert findings({"reward": hump, "eval/reward": hump}) == []
    flat = trend({"x": curve(lambda t: 0.5)}, "x")
    assert (flat.drop, flat.best, flat.rises()) == (0.0, 0, False)


def test_since_when():
    assert first_step({"x": ([1, 2, 3, 4], [1.0, 0.0, 1.0, 1.0])}, "x", 0.5) == 3
    assert trend({"x": ramp(0, 1)}, "x").since == 81


def row(n, text, reward=0.0, prompt=None):
    return {"step": 7, "prompt_id": n if prompt is None else prompt, "completion": text, "reward": reward}


def test_repetition():
    loop, fine = "the cat sat on the mat " * 10, " ".join(map(str, range(60)))
    assert repeated(loop) > 0.8
    assert repeated(fine) == repeated("a a a a") == 0.0
    found = repetition([row(0, fine), row(1, loop), row(2, fine)])
    assert found.answers == ((7, 1),)
    assert repetition([row(n, fine) for n in range(9)] + [row(9, loop)]) is None
    assert repetition([]) is None


def test_one_answer_for_all():
    others = [row(n, f"answer {n}", 0.5) for n in range(4)]
    assert same_answer([*others, *(row(n, " yes", 0.6) for n in range(3))]).answers == ((7, 4), (7, 5), (7, 6))
    assert same_answer([*others, *(row(n, "yes", 0.4) for n in range(3))]) is None  # it does not pay
    assert same_answer([*others, *(row(0, "yes", 0.6) for _ in range(3))]) is None  # to one prompt
    assert "nothing at all" in same_answer([row(n, "", 1.0) for n in range(3)]).says
    assert same_answer([row(n, "yes", None) for n in range(5)]) is None


def test_curves_of_rows():
    rows = [{"step": 1, "x": 1, "why": "text", "y": None}, {"step": 3, "x": float("nan"), "y": 2.0}]
    assert curves_of(rows) == {"x": ([1], [1.0]), "y": ([3], [2.0])}
