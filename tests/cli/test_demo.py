"""What `posttrain demo` says about a demonstration that did not take all its steps."""

from __future__ import annotations

import json

import pytest

from posttrain.cli import demonstration
from posttrain.cli.demonstration import Outcome
from posttrain.cli.main import main
from posttrain.errors import StoppedError

CUT = "train.max_seconds=390 is over: stopped after step 8 of 20"


def outcome(why: str | None) -> Outcome:
    return Outcome(0.25, 0.5, 0.2, 0.4, 200, 0.01, 390.0, "runs/x/final", why, [("1+1?", "3", "2")])


@pytest.mark.parametrize("why", [CUT, None])
def test_a_demonstration_that_was_cut_says_so(
    why: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demonstration, "run", lambda *_: outcome(why))
    with pytest.raises(SystemExit):
        main(["demo", "tiny"])
    out = capsys.readouterr().out
    assert (CUT in out.partition("RESULT")[0]) == (why is not None)
    assert json.loads(out.splitlines()[-1].removeprefix("RESULT "))["ended_early"] == why


def test_a_stopped_demonstration_promises_no_resume(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> Outcome:
        raise StoppedError("stopped by SIGINT; checkpoint-3 is saved, continue with --resume", 2)

    monkeypatch.setattr(demonstration, "run", stopped)
    with pytest.raises(SystemExit) as ended:
        main(["demo"])
    assert ended.value.code == 130
    assert (
        capsys.readouterr().err.split() == "error: stopped by SIGINT; a demonstration begins anew the next time".split()
    )
