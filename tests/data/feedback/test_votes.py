"""What annotators said about which item."""

from __future__ import annotations

from posttrain.data.feedback.act import act_of
from posttrain.data.feedback.votes import first_shown, right, votes
from tests.data.feedback.acts import act, prefer, rate


def asked(*rows):
    return {q: [(who, label) for _, who, label in own] for q, own in votes(act_of(r, "f:1") for r in rows).items()}


def test_the_same_preference_is_the_same_vote_in_whatever_order_the_answers_stand():
    rows = [prefer(0), prefer(1, "bob", ("b", "a")), prefer("tie", "cyd")]
    assert asked(*rows) == {"preference": [("ann", 0), ("bob", 0), ("cyd", "tie")]}
    assert len({item for item, *_ in votes(act_of(r, "f:1") for r in rows)["preference"]}) == 1


def test_attributes_and_types_are_questions_of_their_own():
    rows = [prefer(0, attribute="safety"), act(type="rating", answer=1, scores={"depth": 2}), rate(3)]
    rows += [act(type="label", answer=0, label=True), act(type="safety", answer=0, safe=False)]
    assert asked(*rows) == {
        "preference of safety": [("ann", 0)],
        "rating of depth": [("ann", 2.0)],
        "rating": [("ann", 3.0)],
        "label": [("ann", True)],
        "safety": [("ann", False)],
    }


def test_excluded_and_repeated_acts_have_no_vote():
    assert asked(prefer(0, act_excluded="x"), prefer(0, act_repeats="q"), act(type="skip")) == {}


def test_the_place_on_the_screen_is_known_where_the_order_is():
    shown = [first_shown(act_of(prefer(p, act_shown=[1, 0]), "f:1")) for p in (0, 1, "tie")]
    assert shown == [False, True, None]
    assert first_shown(act_of(prefer(0), "f:1")) is None


def test_a_check_is_passed_by_the_expected_answer_whatever_its_strength():
    expected = {"type": "preference", "preferred": 0, "strength": 3}
    assert [right(act_of(prefer(p, act_expected=expected), "f:1")) for p in (0, 1)] == [True, False]
    assert right(act_of(prefer(0), "f:1")) is None
