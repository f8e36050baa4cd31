"""The claims of claims/ are those whose outcomes docs/claims/ holds, and can be run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.catalogue.papers import papers
from posttrain.evaluation.compare.claim import Finding, load_claim, verdict
from posttrain.evaluation.compare.contender import contenders
from posttrain.evaluation.compare.task import load

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "claims").glob("*.yaml"))


def test_every_claim_has_its_outcome_and_its_picture_and_no_other_does():
    names = {file.stem for file in FILES}
    assert {f.stem for f in (ROOT / "docs" / "claims").glob("*.json")} == names
    assert {f.stem for f in (ROOT / "docs" / "claims").glob("*.png")} == names


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_claim_can_be_run_and_its_outcome_is_of_this_claim(file: Path) -> None:
    claim = load_claim(file)
    assert claim.key is None or claim.key in papers()
    contenders(claim.compare)
    load(claim.task.path, claim.task.settings)
    told = json.loads((ROOT / "docs" / "claims" / f"{file.stem}.json").read_text(encoding="utf-8"))
    asked = json.loads(json.dumps(claim.model_dump(exclude_defaults=True)))
    asked["task"]["path"] = Path(asked["task"]["path"]).name
    assert {key: told[key] for key in asked} == asked, "run it again: posttrain claim --results docs/claims"
    assert [f["expectation"] for f in told["found"]] == [str(e) for e in claim.expect]
    assert told["verdict"] == verdict([Finding(f["expectation"], f["by"], f["low"], f["high"]) for f in told["found"]])
