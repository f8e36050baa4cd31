"""Teacher hacking: found in a chain of an oracle, a teacher and a student; absent where the teacher is the oracle."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.evaluation.hacking import departure, hacking, power_law


def softmax(x):
    p = np.exp(x - x.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def kl(p, q):
    return float((p * (np.log(p) - np.log(q))).sum(-1).mean())


def distil(teacher, oracle, *, online, steps=400, seed=0):
    """A student with weights by prompt, from uniform to the teacher: (proxy, gold) distances by step.

    Offline it sees the same few answers of the teacher again and again, and of one prompt in four; online every
    answer with its probability, at every prompt.
    """
    generator, logits = np.random.default_rng(seed), np.zeros_like(teacher)
    seen = np.stack([generator.multinomial(6, p) / 6 for p in teacher])
    target = teacher if online else seen
    proxy, gold = [], []
    for _ in range(steps):
        student = softmax(logits)
        proxy.append(kl(target + 1e-9, student))
        gold.append(kl(oracle, student))
        logits += 0.2 * (target - student)
    return proxy, gold


@pytest.fixture
def chain():
    """The teacher imitates the oracle with errors."""
    generator = np.random.default_rng(3)
    oracle = softmax(generator.standard_normal((12, 6)))
    return oracle, softmax(np.log(oracle) + 0.5 * generator.standard_normal((12, 6)))


def test_a_fixed_set_of_answers_is_hacked(chain):
    oracle, teacher = chain
    found = hacking(*distil(teacher, oracle, online=False))
    assert found.since is not None
    assert 0 < found.since < 300
    assert found.rise > 0.05


@pytest.mark.paper("tiapkin202538o")
def test_a_teacher_that_is_the_oracle_is_not_hacked_online(chain):
    oracle, _ = chain
    proxy, gold = distil(oracle, oracle, online=True)
    assert hacking(proxy, gold) == hacking(proxy, proxy)
    assert hacking(proxy, gold).since is None


def test_online_answers_hack_less(chain):
    oracle, teacher = chain
    online, offline = (hacking(*distil(teacher, oracle, online=o)) for o in (True, False))
    assert online.rise < 0.3 * offline.rise


def test_the_definition():
    assert hacking([3, 2, 1], [3, 2, 2.5]).since == 1
    assert hacking([3, 2, 1], [3, 2, 1]).since is None
    assert hacking([3, 2, 2.5], [3, 2, 2.5]).since is None  # the student left the teacher as well: no hacking
    assert hacking([3, 2, 1], [3, 2, 2.05], noise=0.1).since is None
    assert hacking([3, 2, 1], [3, 2, 2.5]).rise == pytest.approx(0.5)


def test_a_power_law_and_the_departure_from_it():
    steps = [1, 2, 4, 8, 16, 32]
    honest = [3 * t**-0.5 for t in steps]
    assert power_law(steps, honest) == pytest.approx((3.0, 0.5))
    assert departure(steps, honest) == pytest.approx(0.0, abs=1e-12)
    assert departure(steps, [*honest[:-1], honest[-1] / 2]) == pytest.approx(-np.log(2))
