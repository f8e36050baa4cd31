"""Acts are read strictly: what is wrong is named with its place."""

from __future__ import annotations

import pytest

from posttrain.data.feedback.act import act_of, is_act
from posttrain.data.feedback.judgements import Preference, Rating, type_of
from posttrain.data.feedback.read_judgement import TYPES, judgement_of
from posttrain.errors import DataError
from tests.data.feedback.acts import act, prefer


def test_an_act_keeps_what_it_says():
    row = prefer(
        1, strength=2, act_shown=[1, 0], act_time="2026-11-28T09:30:00", act_seconds=3, act_columns={"level": 1}
    )
    made = act_of(row, "f:1")
    assert made.judgement == Preference(1, strength=2.0)
    assert (made.shown, made.seconds, made.columns, made.where) == ((1, 0), 3.0, {"level": 1}, "f:1")


def test_an_answer_may_say_how_it_was_made():
    answers = [{"text": "a", "model": "m", "seed": 1}, {"role": "assistant", "content": "b"}]
    one, other = act_of(prefer(0, answers=answers), "f:1").answers
    assert (one.said, one.source) == ("a", {"model": "m", "seed": 1})
    assert other.said == [{"role": "assistant", "content": "b"}]


def test_the_item_is_the_same_in_whatever_order_the_answers_stand():
    items = [
        act_of(row, "f:1").item for row in (prefer(0), prefer(1, "bob", ("b", "a")), prefer(0, answers=("a", "c")))
    ]
    assert items[0] == items[1] != items[2]
    assert act_of(prefer(0, act_item="q"), "f:1").item == "q"


def test_the_id_derives_from_the_content():
    assert act_of(prefer(0), "f:1").id == act_of(prefer(0), "g:2").id != act_of(prefer(1), "f:1").id


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (prefer(2), "'preferred' of 'judgement' must be a number from 0 to 1"),
        (prefer("draw"), "'preferred' must be one of tie, both_bad, both_good, not 'draw'"),
        (prefer(0, answers=["a"]), "a preference needs at least two 'answers', this act has 1"),
        (prefer(0, confidence=2), "'confidence' must be a probability"),
        (prefer(0, strenght=1), "'judgement' has no key 'strenght' (did you mean 'strength'?)"),
        (prefer(0, act_anotator="x"), "'act' has no key 'anotator'"),
        (prefer(0, act_shown=[0, 0]), "'shown' must be the places"),
        (prefer(0, act_time="today"), "'time' must be a time such as"),
        (prefer(0, act_seconds="4"), "'seconds' of 'act' must be a finite number"),
        (prefer(0, annotator=""), "'annotator' is missing"),
        (prefer(0, answers=[3, "b"]), "an answer must be text, messages, or an object"),
        (act(type="prefrence"), "not 'prefrence' (did you mean 'preference'?)"),
        (act(type="ranking", order=[0, 0]), "'order' must name at least two answers, each once"),
        (act(type="rating", answer=0), "a rating needs a 'score'"),
        (act(type="rating", answer=0, score=6, scale=[1, 5]), "the score 6 is not on the 'scale' from 1 to 5"),
        (act(type="rating", answer=0, score=1, scale=[5, 1]), "5 is not below 1"),
        (act(type="label", answer=0, label=1), "'label' of 'judgement' must be true or false"),
        (act(type="spans", answer=0, spans=[{"start": 0, "end": 2}]), "a span ends at character 2 of an answer of 1"),
        (act(type="spans", answer=0, spans=[{"start": 1, "end": 1}]), "a span goes from"),
        (act(type="safety", answer=0, safe=True, categories=["x"]), "only where it is false"),
        (act(type="edit", answer=0), "needs what was written"),
        (act(type="signal", answer=0, signal="copyed"), "did you mean 'copied'?"),
        (act(type="regions", answer=0, regions=[{"x": 0, "y": 0, "width": 0, "height": 1}]), "a region needs"),
        ({"annotator": "a", "prompt": "x"}, "'act' lacks 'judgement'"),
    ],
)
def test_what_is_wrong_is_named(row, says):
    with pytest.raises(DataError) as error:
        act_of(row, "f:7")
    assert str(error.value).startswith("f:7: ")
    assert says in str(error.value)


def test_every_type_knows_its_name():
    assert type_of(Rating(0, {"": 1.0})) == "rating"
    made = judgement_of({"type": "key_points", "answer": 0, "points": [1]}, 1)
    assert type_of(made) in TYPES
    assert is_act(prefer(0))
    assert not is_act({"judgement": "good"})
