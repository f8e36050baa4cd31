"""numpy in the sandboxes: held where it can be, and a clear word where it cannot."""

from __future__ import annotations

import pytest

from posttrain.errors import SandboxError
from posttrain.sandbox import packages
from posttrain.sandbox.bubblewrap import Bubblewrap
from posttrain.sandbox.landlock import Landlock
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.packages import holds_numpy
from posttrain.sandbox.plain import Plain
from posttrain.sandbox.served import Returned, Served
from posttrain.sandbox.wasm import Wasm

WITH_NUMPY = Limits(seconds=20.0, numpy=True)
PROGRAM = """
import numpy as np
def f(x):
    return np.float32(x), np.arange(3), np.int64(2), np.array(1.5), np.linalg.norm([3.0, 4.0])
def others():
    import os, importlib.util
    return sorted(os.listdir("/packages")), importlib.util.find_spec("torch") is None
def write():
    open("/packages/numpy/__init__.py", "a")
"""


@pytest.mark.usefixtures("nothing_left")
def test_bubblewrap_holds_numpy_alone_and_read_only(tier):
    if not holds_numpy(tier):
        pytest.skip(f"{tier.name} cannot hold it")
    with Served(tier, PROGRAM, WITH_NUMPY, batches=3) as served:
        assert served.call("f", [(0.5,)]).outcomes == [Returned((0.5, [0, 1, 2], 2, 1.5, 5.0))]
        (seen,) = served.call("others", [()]).outcomes
        assert set(seen.value[0]) <= {"numpy", "numpy.libs"}
        assert seen.value[1]
        assert "Error: [Errno" in served.call("write", [()]).first_problem


@pytest.mark.parametrize("tier", [Landlock(), Wasm()], ids=["landlock", "wasm"])
def test_a_tier_that_cannot_hold_it_says_so(tier):
    assert not holds_numpy(tier)
    with pytest.raises(SandboxError, match=rf"{tier.name} cannot hold numpy: install bubblewrap"):
        Served(tier, PROGRAM, WITH_NUMPY)


def test_without_a_word_there_is_no_numpy():
    assert packages.mounted(Limits()) == packages.in_the_open(Limits()) == []
    with Served(Plain(), PROGRAM, Limits(seconds=20.0)) as served:
        assert "No module named 'numpy'" in served.call("f", [(1,)]).first_problem
    with Served(Plain(), PROGRAM, WITH_NUMPY) as served:
        assert served.call("f", [(1,)]).problem is None


def test_a_python_that_numpy_was_not_built_for_is_named(monkeypatch):
    packages.folders.cache_clear()
    monkeypatch.setattr(packages.subprocess, "check_output", lambda *_, **__: "3 99\n")
    try:
        with pytest.raises(FileNotFoundError, match=r"Python 3.99, for which this numpy was not built"):
            packages.folders()
        assert not holds_numpy(Bubblewrap())
    finally:
        packages.folders.cache_clear()
