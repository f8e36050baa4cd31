"""Every procedure on another device, to its end."""

import pytest

from tests.harness.runs import metrics, run
from tests.procedures.running import BRIEF, PROCEDURES, content


@pytest.mark.parametrize("name", PROCEDURES)
def test_procedures(name, tmp_path, used):
    used(True)
    assert metrics(run(content(name, tmp_path), tmp_path / "run", *BRIEF))
