"""S15, S16: the best sandbox of the machine, or none at all; many at once, leaving nothing behind."""

import platform
import subprocess
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from posttrain.errors import ConfigError, SandboxError
from posttrain.rewards.reward import resolve
from posttrain.rewards.workers.call import Call
from posttrain.rewards.workers.pool import Pool
from posttrain.sandbox import availability
from posttrain.sandbox.bubblewrap import Bubblewrap
from posttrain.sandbox.judging import Case, judge_cases
from posttrain.sandbox.landlock import Landlock
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.plain import Plain
from tests.sandbox.watching import children, descriptors, sandboxed

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="sandboxes need Linux")


def only(monkeypatch, **reasons):
    monkeypatch.setattr(availability, "why_unavailable", lambda tier: reasons.get(tier.name, "not here"))


@pytest.mark.fault("S15")
def test_the_best_that_holds_is_chosen(monkeypatch):
    only(monkeypatch, bubblewrap=None, landlock=None)
    assert availability.choose().name == "bubblewrap"
    assert availability.choose("landlock").name == "landlock"
    only(monkeypatch, landlock=None)
    assert availability.choose().name == "landlock"
    only(monkeypatch, wasm=None)
    assert availability.choose().name == "wasm"


@pytest.mark.fault("S15")
def test_without_a_sandbox_nothing_runs(monkeypatch):
    only(monkeypatch)
    with pytest.raises(SandboxError, match="no sandbox.*\n  bubblewrap: not here\n  landlock: not here") as caught:
        availability.choose()
    assert caught.value.exit_code == 9
    with pytest.raises(SandboxError):
        availability.choose("bubblewrap")
    assert availability.choose("none").name == "none"
    with pytest.raises(ConfigError, match="did you mean 'landlock'"):
        availability.choose("landlok")


@pytest.mark.fault("S15")
def test_a_sandbox_that_does_not_hold_is_found_out():
    availability.why_unavailable.cache_clear()
    before = children(), descriptors()
    assert "does not hold" in availability.why_unavailable(Plain())
    assert (children(), descriptors()) == before


@pytest.mark.fault("S15")
def test_a_missing_program_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    availability.why_unavailable.cache_clear()
    assert "bwrap is not installed" in availability.why_unavailable(Bubblewrap())
    bwrap = tmp_path / "bwrap"
    bwrap.write_text("#!/bin/sh\necho bwrap: No permissions to create new namespace >&2\nexit 1\n")
    bwrap.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents):  # the sandbox's own user must come down from pytest-of-root
        folder.chmod(0o755)
        if folder.name.startswith("pytest-of-"):
            break
    availability.why_unavailable.cache_clear()
    assert "No permissions to create new namespace" in availability.why_unavailable(Bubblewrap())
    availability.why_unavailable.cache_clear()


@pytest.mark.fault("S15")
def test_a_kernel_without_the_filter_is_no_sandbox(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "sparc64")
    availability.why_unavailable.cache_clear()
    before = children(), descriptors()
    assert "no table of system calls for sparc64" in availability.why_unavailable(Landlock())
    assert (children(), descriptors()) == before
    availability.why_unavailable.cache_clear()


def test_a_run_says_which_sandbox_it_uses(monkeypatch):
    only(monkeypatch, landlock=None)
    assert resolve("python_tests").notice().startswith("sandbox landlock")
    assert "UNPROTECTED" in resolve({"path": "python_tests", "sandbox": "none"}).notice()
    assert resolve("math_answer").notice() is None
    only(monkeypatch)
    with pytest.raises(SandboxError):
        resolve("python_tests").notice()


@pytest.mark.fault("S16")
def test_two_hundred_at_once_leave_nothing(tier, marked):
    before = children(), descriptors()
    count = 200 if tier.name == "bubblewrap" else 40
    times = []

    def one(k):
        program, limits = (
            ("while True:\n    pass", Limits(seconds=0.5)) if k % 20 == 7 else ("print(input())", Limits())
        )
        start = time.monotonic()
        found = judge_cases(tier, program, [Case(str(k), str(k))], limits)
        times.append(time.monotonic() - start)
        assert found.verdict == ("timeout" if k % 20 == 7 else "passed"), found
        return k

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(one, range(count))) == list(range(count))
    assert (children(), descriptors()) == before
    assert sandboxed(marked) == []
    assert sorted(times)[int(0.95 * count)] < 10.0


LOOP = "```python\ndef f(x):\n    while True:\n        pass\n```"
RIGHT = "```python\ndef f(x):\n    return x * x\n```"


@pytest.mark.fault("S5")
def test_a_sandbox_ends_with_the_process_that_watches_it(tier, marked):
    """Even when the watching process is killed while the program sleeps."""
    program = (
        "import time\ntry:\n    __import__('ctypes').CDLL(None).prctl(1, 0, 0, 0, 0)\nfinally:\n    time.sleep(60)"
    )
    watcher = f"""
from posttrain.sandbox import availability, judging, limits, tier
tier.ENVIRONMENT["CANARY"] = {marked.removeprefix("CANARY=")!r}
print("begins", flush=True)
box = next(t for t in availability.TIERS if t.name == {tier.name!r})
judging.judge_cases(box, {program!r}, [judging.Case("", "")], limits.Limits(seconds=60.0))
"""
    with subprocess.Popen([sys.executable, "-c", watcher], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert waited(lambda: sandboxed(marked))
        time.sleep(0.5)
        process.kill()
    assert waited(lambda: not sandboxed(marked))


def waited(true):
    deadline = time.monotonic() + 20.0
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def test_a_worker_that_is_killed_leaves_no_sandbox(tier, marked):
    """The scorer's deadline is shorter than the program's: the worker dies together with everything it started."""
    if tier.name == "wasm":
        pytest.skip("its start is slower than the deadline of this test")
    reference, tests = "tests.sandbox.watching:marked_tests", ["assert f(2) == 4"]
    pool = Pool(1)
    before = descriptors()
    try:
        for completion, seconds in ((RIGHT, 20.0), (LOOP, 4.0), (RIGHT, 20.0)):
            arguments = {"prompts": ["q"], "completions": [completion], "tests": [tests]}
            call = Call(
                "python_tests",
                reference,
                {"mark": marked.removeprefix("CANARY="), "sandbox": tier.name},
                arguments,
                (0,),
            )
            ((_, outcome),) = pool.run(deque([call]), seconds)
            assert outcome == [1.0] if completion is RIGHT else outcome.kind == "deadline"
    finally:
        pool.close()
    assert waited(lambda: not sandboxed(marked))
    assert descriptors() <= before
