"""What rewards print reaches the log, whatever process they run in."""

from __future__ import annotations

import pytest

from posttrain.rewards.reward import resolve
from posttrain.rewards.scorer import Scorer
from posttrain.rewards.workers.printed import Output, Printed
from tests.rewards import faulty
from tests.rewards.test_scorer import F, rollouts


def test_the_beginning_is_kept_and_the_end_too():
    output = Output()
    for part in (b"a" * 19_999, b"bc", b"d" * 100 + b"last"):
        output.add(part)
    assert output.text == "a" * 19_999 + "b\n... 105 more bytes"
    assert output.end.endswith("last")


@pytest.mark.fault("R7")
@pytest.mark.parametrize("workers", [0, 1])
def test_prints_are_reported_with_the_batch(workers, capsys):
    said = []
    reward = resolve({"path": f"{F}:chatty", "name": "c"})
    with Scorer([reward], workers=workers, on_print=said.extend, max_error_rate=1.0) as scorer:
        scorer.score(rollouts(["one", "two"], ["three"]))
        assert said == [Printed("c", "one\ntwo", not workers), Printed("c", "three", not workers)]
        scorer.score(rollouts(["raise x"]))
    assert said[2].text == "raise x"
    assert ("one\ntwo\n" in capsys.readouterr().out) == (not workers)
    assert faulty.chatty.__name__ == "chatty"
