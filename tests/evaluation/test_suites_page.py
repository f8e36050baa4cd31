"""docs/suites.md: its run file is one, its suite measures, and its table names every suite."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from posttrain.catalogue.index import SUITES
from posttrain.config.load import load
from posttrain.launch.checks import check_before_loading
from posttrain.training.suites import load_suite
from tests.evaluation.scripted import answered

PAGE = (Path(__file__).parents[2] / "docs" / "suites.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    return re.search(rf"^```{language}\n(.*?)^```", PAGE, re.S | re.M)[1]


def test_the_run_file_of_the_page_is_one():
    check_before_loading(load(yaml.safe_load(block("yaml"))))


def test_the_suite_of_the_page_measures(tmp_path: Path):
    (tmp_path / "capitals.py").write_text(block("python"))
    suite = load_suite(str(tmp_path / "capitals.py"), {"max_tokens": 8})
    numbers = answered(suite, lambda item, asked: "Paris, Rome or Tokyo" if "Please" in asked else "?").numbers
    assert {n: x.mean for n, x in numbers.items()} == {
        "right": 0.5,
        "right[polite=0]": 0.0,
        "right[polite=1]": 1.0,
        "right.politeness": 1.0,
    }


def test_every_suite_stands_in_the_table():
    named = set(re.findall(r"^\| `([\w/]+)` \|", PAGE, re.M))
    assert named == {name for name in SUITES.names if not name.startswith("cognition/")}
    assert sum(name.startswith("cognition/") for name in SUITES.names) == 7
