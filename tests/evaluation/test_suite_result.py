"""Numbers of a suite: means over questions, groups, contrasts, the jackknife, counters and cost."""

from __future__ import annotations

import math

import pytest

from posttrain.evaluation.statistics import student
from posttrain.evaluation.suite import Contrast, Item, Judging, Reply, Suite, user
from posttrain.evaluation.suite_result import identity, jackknife, means, result
from posttrain.records import Prompt
from tests.evaluation.scripted import answered


def prompts(n, **columns):
    return [Prompt(i, user(str(i)), {name: values[i] for name, values in columns.items()}) for i in range(n)]


def length(item):
    return float(len(item.text)) if item.text else None


def test_means_are_over_the_samples_of_a_question_and_then_over_questions():
    """Question 0 says 2 and 4 letters, question 1 six and nothing: 3 and 6, together 4.5."""
    texts = {(0, 0): "ab", (0, 1): "abcd", (1, 0): "abcdef", (1, 1): ""}
    found = answered(Suite(prompts(2), {"length": length}, samples=2), lambda i, _: texts[i.prompt.id, i.sample])
    assert found.scores == {"length": {0: 3.0, 1: 6.0}}
    assert found.numbers["length"].mean == 4.5
    assert found.counters == {"replies": 4, "no answer": 1, "cut": 0, "no length": 1}
    assert str(found).startswith("suite.length 4.5")


def test_the_metrics_of_all_samples_of_a_question_have_intervals_over_questions():
    suite = Suite(prompts(3), per_question={"words": lambda items: len({i.text for i in items})}, samples=2)
    found = answered(suite, lambda item, _: "x" if item.prompt.id else str(item.sample))
    assert found.scores["words"] == {0: 2.0, 1: 1.0, 2: 1.0}


def test_groups_are_reported_apart():
    suite = Suite(prompts(4, level=[1, 1, 2, 2]), {"length": length}, groups=("level",))
    numbers = answered(suite, lambda item, _: "x" * (item.prompt.id + 1)).numbers
    assert {n: x.mean for n, x in numbers.items()} == {"length": 2.5, "length[level=1]": 1.5, "length[level=2]": 3.5}


def test_a_contrast_is_paired_and_exact():
    """Five of six pairs are right only without the treatment: p = 2/2^5, by McNemar's exact test."""
    columns = {"item": [i // 2 for i in range(12)], "attack": [i % 2 for i in range(12)]}
    suite = Suite(
        prompts(12, **columns),
        {"right": lambda item: float(item.text == "yes")},
        contrasts=(Contrast("effect", "attack", 1, 0),),
    )
    found = answered(suite, lambda item, _: "yes" if not item["attack"] or item["item"] == 5 else "no")
    effect = found.numbers["right.effect"]
    assert (effect.mean, effect.above, effect.below, effect.n) == (pytest.approx(-5 / 6), 0, 5, 6)
    assert effect.p_value == 2 / 2**5


def test_the_jackknife_of_a_mean_is_students_interval():
    """Leaving out one of n gives exactly the standard error of a mean."""
    items = [Item(p, replies=(Reply("", "x" * n),)) for p, n in zip(prompts(4), (1, 2, 3, 6), strict=True)]
    found = jackknife(items, lambda own: sum(len(i.text) for i in own) / len(own))
    assert found is not None
    half = student(3) * math.sqrt((4 + 1 + 0 + 9) / 3 / 4)
    assert (found.mean, found.low, found.high) == (3.0, pytest.approx(3 - half), pytest.approx(3 + half))


def test_the_jackknife_has_no_interval_where_a_part_has_no_number():
    items = [Item(p, replies=(Reply("", "x"),)) for p in prompts(2)]
    one = jackknife(items, lambda own: 1.0 if len(own) == 2 else None)
    assert one is not None
    assert (one.low, one.high) == (-math.inf, math.inf)
    assert jackknife(items[:1], lambda own: 1.0).high == math.inf
    assert jackknife(items, lambda own: None) is None


def test_nothing_that_was_not_measured_is_a_number():
    found = answered(Suite(prompts(2), {"none": lambda item: None}), lambda *_: "x")
    assert found.numbers == {}
    assert str(found) == "suite: no number"
    assert means(found.items, length) == {0: 1.0, 1: 1.0}


def test_cost_counts_the_tokens_of_every_turn_and_verdicts_that_are_missing_are_counted():
    suite = Suite(prompts(1), follow=lambda items: [user("abc")], turns=2, judge=Judging(lambda i: ["?"], ("yes",)))
    found = answered(suite, lambda *_: "two words", ended=False)
    assert (found.cost.read, found.cost.written, found.cost.seconds) == (1 + 3, 4, 0.5)
    assert found.counters == {"replies": 2, "no answer": 0, "cut": 2, "no verdict": 1}


def test_ids_are_those_of_the_content():
    assert identity([1, {"b": 2, "a": 3}]) == identity([1, {"a": 3, "b": 2}]) != identity([1, {"a": 3, "b": 4}])
    assert result("s", Suite([]), [], seconds=0, ids={"data": "x"}).ids == {"data": "x"}
