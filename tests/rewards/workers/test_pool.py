"""Worker processes: every fault in one is reported, and none is left behind."""

import os
import subprocess
import sys
import textwrap
import time
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from posttrain.errors import RewardError
from posttrain.rewards.workers.call import Call, Fault
from posttrain.rewards.workers.framing import pack
from posttrain.rewards.workers.pool import Pool
from posttrain.rewards.workers.process import WorkerProcess

FAULTY = "tests.rewards.faulty"


def call(*completions, function="obedient", **columns):
    arguments = {"prompts": ["q"] * len(completions), "completions": list(completions), **columns}
    return Call(function, f"{FAULTY}:{function}", {}, arguments, tuple(range(len(completions))))


def children():
    """List the processes that this one has started, zombies included."""
    found = []
    for listing in Path("/proc/self/task").glob("*/children"):
        found += listing.read_text().split()
    return set(found)


def running(command):
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if process.read_bytes().split(b"\0")[:-1] == [part.encode() for part in command]:
                found.append(process.parent.name)
        except OSError:
            pass
    return found


@pytest.fixture(scope="module")
def pool():
    before, descriptors = children(), len(os.listdir("/proc/self/fd"))
    made = Pool(1)
    yield made
    made.close()
    assert children() == before
    assert len(os.listdir("/proc/self/fd")) == descriptors


def outcome(pool, *orders, timeout=20.0, **more):
    ((_, found),) = pool.run(deque([call(*orders, **more)]), timeout)
    return found


def test_scores_come_back_and_the_worker_is_kept(pool):
    assert outcome(pool, "a", "bc", function="length") == [1.0, 2.0]
    worker = children()
    assert outcome(pool, "abc", function="length") == [3.0]
    assert children() == worker


@pytest.mark.fault("R2")
@pytest.mark.parametrize("order", ["sleep", "spin", "redos", "bomb", "flood"])
def test_what_hangs_is_killed_at_the_deadline_and_replaced(pool, order):
    assert outcome(pool, "warm") == [4.0]
    start = time.monotonic()
    found = outcome(pool, order, timeout=1.0)
    assert 1.0 <= time.monotonic() - start < 3.0
    assert (found.kind, found.message) == ("deadline", "reward 'obedient' gave no answer within 1 s and was stopped")
    assert outcome(pool, "next") == [4.0]


@pytest.mark.fault("R7")
@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("os._exit 3", "exit code 3"),
        ("os._exit 0", "exit code 0"),
        ("segfault", "SIGSEGV"),
        ("close", "ended its process"),
    ],
)
def test_a_process_that_ends_is_a_fault_and_replaced(pool, order, said):
    found = outcome(pool, order)
    assert (found.kind, found.lies_in_an_item) == ("died", True)
    assert said in found.message
    assert outcome(pool, "next") == [4.0]


def test_a_segfault_tells_where(pool):
    assert "in _obey" in outcome(pool, "segfault").traceback


@pytest.mark.fault("R1", "R7")
@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("raise ouch", "raised ValueError: ouch"),
        ("sys.exit 0", "called sys.exit(0)"),
        ("stopped", "raised tests.rewards.faulty.Stopped: now"),
        ("baseexception", "raised KeyError"),
    ],
)
def test_what_raises_is_a_fault_and_the_worker_is_kept(pool, order, said):
    assert outcome(pool, "warm") == [4.0]
    worker = children()
    found = outcome(pool, order)
    assert found.kind == "raised"
    assert said in found.message
    assert "_obey" in found.traceback
    assert children() == worker


@pytest.mark.parametrize(
    ("function", "said"),
    [("one_for_all", "returned 1 values for 2 completions"), ("lazy", "returned generator")],
)
def test_a_result_that_is_no_list_of_scores_is_a_fault(pool, function, said):
    found = outcome(pool, "a", "b", function=function)
    assert found.kind == "result"
    assert said in found.message


@pytest.mark.fault("R7")
def test_output_goes_elsewhere(pool, capfd):
    assert outcome(pool, "print") == [1.0]
    assert outcome(pool, "print", "next") == [1.0, 4.0]
    assert capfd.readouterr() == ("", "")


def test_a_worker_that_speaks_unasked_is_replaced(pool):
    assert outcome(pool, "warm") == [4.0]
    (worker,) = pool._idle
    worker._inbox += b"x"
    assert outcome(pool, "next") == [4.0]
    assert pool._idle != [worker]


def test_a_function_that_forks_does_not_answer_twice(pool):
    assert outcome(pool, "fork") == [1.0]
    assert outcome(pool, "next") == [4.0]


def test_children_are_killed_even_in_a_session_of_their_own(pool):
    assert outcome(pool, "child 98.7654", timeout=1.0).kind == "deadline"
    assert not running(["sleep", "98.7654"])


@pytest.mark.fault("R5", "R6")
def test_the_folder_is_as_it_was_and_functions_run_on_the_main_thread(pool):
    assert outcome(pool, "chdir", f"where {os.getcwd()}") == [1.0, 0.0]
    assert outcome(pool, f"where {os.getcwd()}", "main-thread") == [1.0, 1.0]


def test_large_messages_pass(pool):
    assert outcome(pool, "x" * 5_000_000, "\ud800", function="length") == [5e6, 1.0]


def test_numpy_columns_pass_and_others_are_named(pool):
    assert outcome(pool, "q|3|none", function="words", answer=[np.int64(3)]) == [1.0]
    found = outcome(pool, "a", function="words", answer=[object()])
    assert found.kind == "setup"
    assert "'answer' cannot be sent to a worker process: object cannot be written as JSON" in found.message


@pytest.mark.fault("P9")
def test_a_file_that_fails_only_in_the_worker_is_a_fault_of_the_setup(pool, tmp_path):
    found = outcome(pool, "warm")
    ((_, found),) = pool.run(deque([Call("f", f"{tmp_path}/absent.py:f", {}, {"completions": ["a"]}, (0,))]), 5.0)
    assert found.kind == "setup"
    assert "absent.py" in found.message


def test_an_idle_worker_that_was_killed_is_replaced_without_a_fault(pool):
    assert outcome(pool, "warm") == [4.0]
    (worker,) = pool._idle
    os.kill(worker._child.pid, 9)
    while worker.usable():
        time.sleep(0.01)
    assert outcome(pool, "next") == [4.0]


def test_leaving_early_kills_what_is_busy(pool):
    run = pool.run(deque([call("a"), call("sleep")]), 60.0)
    assert next(run)[1] == [1.0]
    run.close()
    assert outcome(pool, "next") == [4.0]


def test_calls_added_meanwhile_are_answered(pool):
    queue = deque([call("a")])
    seen = []
    for asked, found in pool.run(queue, 20.0):
        seen.append(found)
        if len(seen) < 3:
            queue.append(call(asked.arguments["completions"][0] + "a"))
    assert seen == [[1.0], [2.0], [3.0]]


def test_several_workers_work_at_once():
    pool = Pool(2)
    try:
        start = time.monotonic()
        faults = [found for _, found in pool.run(deque([call("sleep"), call("sleep")]), 1.0)]
        assert [f.kind for f in faults] == ["deadline", "deadline"]
        assert time.monotonic() - start < 1.9
    finally:
        pool.close()


def test_a_closed_pool_says_so():
    pool = Pool(1)
    pool.close()
    with pytest.raises(RewardError, match="closed"):
        next(pool.run(deque([call("a")]), 1.0))


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense" * 10,
        b"\0\0\0\0\0\0\0\x02[]",
        b"\0\0\0\0\0\0\0\x02{x",
        pack({"id": 99, "verdicts": [1.0]}),
        pack({"id": 1, "verdicts": [1.0, 1.0]}),
        pack({"id": 1}),
    ],
    ids=repr,
)
def test_nonsense_on_the_pipe_is_a_fault(monkeypatch, answer):
    worker = WorkerProcess()
    worker.ask(call("sleep"), 60.0)
    worker._inbox += answer
    found = worker.poll()
    assert isinstance(found, Fault)
    assert "broke its pipe to the trainer" in found.message
    assert not worker.usable()


def test_a_worker_starts_without_heavy_modules(pool):
    """So it starts in a quarter of a second."""
    assert outcome(pool, "a", function="imports_heavy") == [0.0]


def test_importing_the_scorer_loads_neither_torch_nor_numpy_nor_sympy():
    code = (
        "import sys, posttrain.rewards.scorer, posttrain.rewards.workers.worker; posttrain.rewards.scorer.Reward('m', "
    )
    code += "'posttrain.rewards.bundled.math_answer:math_answer'); "
    code += "sys.exit(bool({'torch', 'numpy', 'sympy', 'math_verify'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": "src"}).returncode == 0


@pytest.mark.fault("W9")
@pytest.mark.parametrize("ending", ["sys.exit(0)", "os.kill(os.getpid(), 9)"])
def test_workers_end_with_a_trainer_that_forgot_or_was_killed(tmp_path, ending):
    (tmp_path / "slow.py").write_text("import time\ndef slow(completions):\n    time.sleep(77)\n")
    code = f"""
        import os, sys
        from collections import deque
        from posttrain.rewards.workers.call import Call
        from posttrain.rewards.workers.pool import Pool
        pool = Pool(1)
        run = pool.run(deque([Call("s", "{tmp_path}/slow.py:slow", {{}}, {{"completions": [""]}}, (0,))]), 0.5)
        next(run)
        run = pool.run(deque([Call("s", "{tmp_path}/slow.py:slow", {{}}, {{"completions": [""]}}, (0,))]), 30.0)
        worker = pool._idle_worker()
        worker.ask(Call("s", "{tmp_path}/slow.py:slow", {{}}, {{"completions": [""]}}, (0,)), 30.0)
        while worker.poll() is None and not worker._loaded:
            pass
        print(worker._child.pid, flush=True)
        {ending}
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    pid = Path("/proc") / done.stdout.strip()
    assert done.stdout.strip().isdigit(), done.stderr
    deadline = time.monotonic() + 5
    while pid.exists() and "Z" not in (pid / "stat").read_text().split()[2] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not pid.exists() or "Z" in (pid / "stat").read_text().split()[2]
