"""The sandbox of a run is that of its run file, and one that cannot hold numpy is refused before anything runs."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError, SandboxError
from posttrain.learners.coding import isolation as module
from posttrain.learners.coding.isolation import called, isolation
from posttrain.sandbox.landlock import Landlock
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.plain import Plain
from posttrain.sandbox.served import Calls
from posttrain.sandbox.verdict import Judgement


def test_the_limits_are_those_of_the_run_file():
    tier, limits = isolation("none", seconds=2.5, numpy=False)
    assert (tier.name, limits.seconds, limits.numpy) == ("none", 2.5, False)
    assert isolation("none", seconds=1.0, numpy=True)[1].numpy
    with pytest.raises(ConfigError, match="no sandbox 'bubble'"):
        isolation("bubble", seconds=1.0, numpy=False)


def test_a_tier_that_cannot_hold_numpy_is_refused(monkeypatch):
    monkeypatch.setattr(module, "choose", lambda _: Landlock())
    assert isolation("landlock", seconds=1.0, numpy=False)[0] == Landlock()
    with pytest.raises(SandboxError, match="landlock cannot hold numpy"):
        isolation("landlock", seconds=1.0, numpy=True)


ADD = "def add(x, y):\n    return x + y\n"


def test_batches_are_called_in_one_process():
    one, two = called(Plain(), ADD, Limits(seconds=20.0), "add", [[(1, 2), (3, 4)], [(5, 6)]])
    assert [o.value for o in one.outcomes] == [3, 7]
    assert [o.value for o in two.outcomes] == [11]


@pytest.mark.parametrize("failing", [0, 1])
def test_a_sandbox_that_fails_in_any_batch_is_tried_again_and_then_an_error(monkeypatch, failing):
    broken, tries = Judgement("infrastructure error", "the lamp is out"), []

    class Fails:
        def __init__(self, *given, batches):
            tries.append(batches)
            self.left = failing

        def __enter__(self):
            return self

        def __exit__(self, *given):
            pass

        def call(self, function, rows):
            self.left -= 1
            return Calls([], broken if self.left < 0 else None)

    monkeypatch.setattr(module, "Served", Fails)
    with pytest.raises(SandboxError, match="not run, twice: the lamp is out"):
        called(Plain(), ADD, Limits(), "add", [[(1, 2)], [(3, 4)]])
    assert tries == [2, 2]
