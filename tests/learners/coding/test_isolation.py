"""The sandbox of a run is that of its run file, and one that cannot hold numpy is refused before anything runs."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError, SandboxError
from posttrain.learners.coding import isolation as module
from posttrain.learners.coding.isolation import isolation
from posttrain.sandbox.landlock import Landlock


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
