"""Scripted participants: functions that answer the questions of a suite in place of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from posttrain.evaluation.play import play
from posttrain.evaluation.suite import Item, Reply, Suite
from posttrain.evaluation.suite_result import SuiteResult, result
from posttrain.records import Turns
from posttrain.training.suites import verdict
from posttrain.turns import last_message


def answered(suite: Suite, say: Callable[[Item, str], str], *, ended: bool = True) -> SuiteResult:
    """Play a suite with a participant `say(item, last message) -> text`, and compute its numbers."""

    def reply(item: Item, asked: Turns) -> Reply:
        text = say(item, last_message(asked))
        return Reply(asked, text, suite.extract(text), ended, (-1.0,) * len(text.split()), len(last_message(asked)))

    items = play(suite, lambda due, turn: [reply(*one) for one in due])
    return result("suite", suite, items, seconds=0.5, ids={})


def believed(suite: Suite, give: Callable[[Item], tuple[float, ...]]) -> SuiteResult:
    """Play a suite of options with a participant that gives them probabilities."""

    def reply(item: Item, asked: Turns) -> Reply:
        given = give(item)
        best = str(item[suite.options][given.index(max(given))])
        return Reply(asked, best, best, probabilities=given)

    return result("suite", suite, play(suite, lambda due, turn: [reply(*one) for one in due]), seconds=0.0, ids={})


def judged_by(suite: Suite, items: list[Item], judge: Callable[[str], str]) -> SuiteResult:
    """Compute the numbers of items that a scripted judge is asked about."""
    assert suite.judge is not None
    words = suite.judge.options
    said = [replace(i, verdicts=tuple(verdict(judge(q), words) for q in suite.judge.questions(i))) for i in items]
    return result("suite", suite, said, seconds=0.0, ids={})
