"""A sandboxed process that may become another program: what it is then, and what it still cannot do."""

from __future__ import annotations

import platform

import pytest

from posttrain.errors import SandboxError
from posttrain.sandbox import reader
from posttrain.sandbox.availability import why_unavailable
from posttrain.sandbox.box import Box
from posttrain.sandbox.bubblewrap import Bubblewrap
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.plain import Plain
from posttrain.sandbox.tier import interpreter
from posttrain.sandbox.verilog import simulate
from tests.sandbox.watching import watch

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="sandboxes need Linux")
ATTEMPTS = """
import os, socket
def tried(name, attempt):
    try:
        attempt()
        print(name)
    except OSError:
        pass
tried("forks", lambda: os.fork() or os._exit(0))
tried("opens a socket", socket.socket)
tried("reads /etc/passwd", lambda: open("/etc/passwd"))
tried("writes to /usr", lambda: open("/usr/posttrain", "w"))
print(open("note").read(), flush=True)
os.execv("/usr/bin/env", ["env", "printf", "%s", "still here"])
"""


@pytest.fixture
def bubblewrap():
    if reason := why_unavailable(Bubblewrap()):
        pytest.skip(f"no bubblewrap here: {reason}")
    return Bubblewrap()


@pytest.mark.usefixtures("nothing_left")
def test_a_tool_can_become_others_and_nothing_else(bubblewrap):
    files = {"note": "a file of its own", "attempts.py": ATTEMPTS}
    command = [interpreter(), "-S", "attempts.py"]
    with Box(bubblewrap, "tool.become", Limits(seconds=20.0, tools=True), files=files, command=command) as box:
        box.finish_input()
        reader.run(box)
    assert (box.output.decode(), box.errors.decode()) == ("a file of its own\nstill here", "")


def test_without_the_right_it_stays_what_it_is(bubblewrap):
    found, _ = watch(bubblewrap, "import os\nos.execv('/usr/bin/env', ['env'])")
    assert found.verdict == "failed"


def test_other_sandboxes_are_refused():
    with pytest.raises(SandboxError, match="in the sandbox bubblewrap alone, not in none"):
        simulate(Plain(), [], Limits())
