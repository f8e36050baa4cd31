"""Models, sampling, methods and procedures on a device that is not the processor, each part in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("part", ["models", "runs", "methods", "procedures"])
def test_on_another_device(part):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/fake_device/{part}.py"]
    env = {**os.environ, "FAKE_DEVICE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2000:]
