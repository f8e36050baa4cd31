"""Procedures on another device, to their end: those that together call every verb of a session."""

import inspect
import re

import pytest

from posttrain.catalogue import index as catalogue
from tests.fake_device.covering import covering
from tests.harness.runs import metrics, run
from tests.procedures.running import BRIEF, PROCEDURES, content

VERBS = {n: set(re.findall(r"session\.(\w+)", inspect.getsource(catalogue.load_procedure(n)))) for n in PROCEDURES}


@pytest.mark.parametrize("name", sorted(covering(VERBS)))
def test_procedures(name, tmp_path, used):
    used(True)
    assert metrics(run(content(name, tmp_path), tmp_path / "run", *BRIEF))
