"""The simulator of Verilog, where the machine has it: for tests that run it in the sandbox."""

import pytest

from posttrain.errors import SandboxError
from posttrain.sandbox.availability import available
from posttrain.sandbox.verilog import home


@pytest.fixture
def icarus():
    """Skip a test where bubblewrap or the simulator is missing."""
    if reason := available()["bubblewrap"]:
        pytest.skip(f"no bubblewrap here: {reason}")
    try:
        home()
    except SandboxError as error:
        pytest.skip(str(error))
