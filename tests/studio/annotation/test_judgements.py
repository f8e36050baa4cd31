"""Forms become judgements: places as shown become places as stored, and nonsense is refused."""

import json

import pytest

from posttrain.studio.annotation.desk import Task
from posttrain.studio.annotation.judgements import in_browser, judgement
from posttrain.studio.annotation.project import KINDS, Project
from posttrain.studio.refusal import RefusalError

TEXT = "a\r\nb😀c"
TASK = Task("act", 1, {"prompt": "q", "answers": [{"text": TEXT}, {"text": "two"}, {"text": "three"}]}, (2, 0, 1))
ONE = Task("act", 1, {"prompt": "q", "answers": [{"text": TEXT}]}, (0,))


def said(kind, form, task=TASK, **settings):
    return judgement(Project("p", kind, **settings), task, {name: [value] for name, value in form.items()})


def test_a_preference_names_the_answer_by_its_own_place():
    assert said("pair", {"preferred": "0", "strength": "2"}) == {"type": "preference", "preferred": 2, "strength": 2}
    assert said("pair", {"preferred": "1"}, strengths=1) == {"type": "preference", "preferred": 0}
    assert said("pair", {"preferred": "tie", "strength": "3"}) == {"type": "preference", "preferred": "tie"}
    assert said("pair", {"preferred": "both_bad"}, attributes=("safety",))["attribute"] == "safety"


def test_a_ranking_has_tiers():
    assert said("ranking", {"rank0": "2", "rank1": "1", "rank2": "2"})["order"] == [0, [1, 2]]


def test_a_rating_has_its_scale():
    assert said("rating", {"score": "4"}, ONE) == {"type": "rating", "answer": 0, "score": 4, "scale": [1, 5]}
    two = said("rating", {"score a": "1", "score b": "0"}, ONE, attributes=("a", "b"), low=0)
    assert two["scores"] == {"a": 1, "b": 0}


def test_spans_count_characters_as_a_browser_does():
    assert in_browser(TEXT) == [0, 1, 3, 4, 5, 6]
    marks = json.dumps([{"start": 2, "end": 4, "category": "odd", "reason": "why"}])
    found = said("spans", {"spans": marks}, ONE, categories=("odd",))["spans"]
    assert found == [{"start": 3, "end": 5, "category": "odd", "reason": "why"}]
    assert TEXT[3:5] == "b😀"
    assert said("spans", {}, ONE)["spans"] == []


def test_an_edit_and_a_demonstration_are_text():
    assert said("edit", {"text": "better"}, ONE) == {"type": "edit", "answer": 0, "text": "better"}
    assert said("demonstration", {"text": "x\r\ny"}) == {"type": "demonstration", "text": "x\ny"}
    assert said("pair", {"skip": "1", "why": "unclear"}) == {"type": "skip", "why": "unclear"}


@pytest.mark.parametrize(
    ("kind", "form", "task"),
    [
        ("pair", {}, TASK),
        ("pair", {"preferred": "3"}, TASK),
        ("pair", {"preferred": "-1"}, TASK),
        ("pair", {"preferred": "0", "strength": "4"}, TASK),
        ("ranking", {"rank0": "1"}, TASK),
        ("ranking", {"rank0": "1", "rank1": "1", "rank2": "4"}, TASK),
        ("rating", {}, ONE),
        ("rating", {"score": "6"}, ONE),
        ("rating", {"score": "nan"}, ONE),
        ("spans", {"spans": "nonsense"}, ONE),
        ("spans", {"spans": '[{"start": 1, "end": 99}]'}, ONE),
        ("spans", {"spans": '[{"start": 2, "end": 1}]'}, ONE),
        ("edit", {"text": "a\nb😀c"}, ONE),
        ("edit", {"text": " "}, ONE),
        ("demonstration", {"text": "x" * 100_001}, TASK),
    ],
)
def test_what_is_no_judgement(kind, form, task):
    with pytest.raises(RefusalError):
        said(kind, form, task)


def test_every_kind_is_read():
    from posttrain.studio.annotation.judgements import READERS

    assert READERS.keys() == KINDS.keys()
