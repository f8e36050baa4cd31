"""What methods read of a feedback file."""

from __future__ import annotations

import pytest

from posttrain.data.dataset import from_rows
from posttrain.data.feedback.comparisons import comparisons
from posttrain.data.feedback.read import columns_of
from posttrain.data.feedback.views import read_acts
from posttrain.errors import DataError
from tests.data.feedback.acts import act, prefer, rate


def pairs(*rows, reads=None, **settings):
    return [(p.chosen, p.rejected) for p in from_rows(rows, "pairs", feedback=settings or None, reads=reads)]


def column(name, *rows, kind="pairs", reads=None, **settings):
    return [r.columns.get(name) for r in from_rows(rows, kind, feedback=settings or None, reads=reads)]


# ---- pairs


def test_the_preferred_answer_is_chosen_and_the_strength_is_the_margin():
    rows = [prefer(1, strength=2)]
    assert pairs(*rows) == [("b", "a")]
    assert column("margin", *rows) == [2.0]
    assert column("annotator", *rows) == ["ann"]


def test_the_order_of_answers_and_of_showing_does_not_matter():
    one, other = prefer(0, act_shown=[0, 1]), prefer(1, answers=("b", "a"), act_shown=[1, 0])
    assert pairs(one) == pairs(other) == [("a", "b")]


def test_a_preference_among_several_says_nothing_about_the_others():
    assert pairs(prefer(1, answers="abc")) == [("b", "a"), ("b", "c")]


def test_a_ranking_gives_every_two_ranks():
    assert pairs(act(answers="abc", type="ranking", order=[2, [0, 1]])) == [("c", "a"), ("c", "b")]


def test_ties_are_pairs_where_the_method_reads_them():
    rows = [prefer("tie"), prefer(0, answers=("c", "d"))]
    assert pairs(*rows) == [("c", "d")]
    assert pairs(*rows, reads=lambda name: name == "tie") == [("a", "b"), ("c", "d")]
    assert column("tie", *rows, reads=lambda name: name == "tie") == [1.0, 0.0]
    assert "ties give pairs only to methods" in from_rows(rows, "pairs").notices.lines()[0]


def test_ratings_are_compared_within_one_annotator_and_prompt():
    rows = [rate(4), rate(2, answer="b"), rate(5, "bob", "b"), rate(1, answer="c", prompt="y?"), rate(3.5, answer="c")]
    assert pairs(*rows) == [("a", "b"), ("c", "b")]
    assert column("margin", *rows) == [2.0, 1.5]
    assert pairs(*rows, gap=1.6) == [("a", "b")]
    assert pairs(*rows, gap=2.0) == [("a", "b")]


def test_ratings_may_be_shifted_by_a_constant_for_each_annotator():
    rows = [rate(4), rate(2, answer="b")]
    shifted = [rate(14), rate(12, answer="b")]
    assert (pairs(*rows), column("margin", *rows)) == (pairs(*shifted), column("margin", *shifted))


def test_an_attribute_is_read_apart():
    rows = [prefer(0), prefer(1, attribute="safety")]
    assert pairs(*rows) == [("a", "b")]
    assert pairs(*rows, attribute="safety") == [("b", "a")]
    with pytest.raises(DataError, match="no judgement about 'style' gives pairs; the judgements .* of type preference"):
        pairs(*rows, attribute="style")


def edit(text, annotator="ann", answer="a"):
    return act(annotator, [answer], type="edit", answer=0, text=text)


def test_edited_is_better_than_chosen_and_chosen_than_rejected():
    assert pairs(prefer(0), edit("A")) == [("A", "a"), ("A", "b"), ("a", "b")]
    (ranking,) = from_rows([prefer(0), edit("A")], "rankings")
    assert ranking.completions == ("A", "a", "b")


def test_an_edit_of_another_answer_or_annotator_stands_alone():
    assert pairs(prefer(1), edit("A")) == [("b", "a"), ("A", "a")]
    assert pairs(prefer(0), edit("A", "bob")) == [("a", "b"), ("A", "a")]


def test_nobody_said_how_much_better_the_edit_is():
    assert column("margin", prefer(0, strength=2), edit("A")) == [None, None, None]


def test_messages_are_compared_by_what_they_say():
    asked = [{"role": "user", "content": "x?"}]
    said = {x: [{"role": "assistant", "content": x}] for x in "abA"}
    rows = [rate(s, answer=said[x], prompt=asked) for x, s in (("a", 3), ("b", 1))]
    (pair,) = from_rows(rows, "pairs")
    assert (pair.chosen[0]["content"], pair.rejected[0]["content"]) == ("a", "b")
    rows = [prefer(0, answers=[said["a"], said["b"]], prompt=asked)]
    rows += [act(answers=[said["a"]], prompt=asked, type="edit", answer=0, messages=said["A"])]
    assert [p.chosen[0]["content"] for p in from_rows(rows, "pairs")] == ["A", "A", "a"]


def test_no_edit_no_pair():
    assert pairs(prefer(0), edit("a")) == [("a", "b")]


def test_marks_of_safety_go_to_the_pairs():
    marks = [act(name, [x], type="safety", answer=0, safe=safe) for name, x, safe in
             [("ann", "a", True), ("ann", "b", False), ("bob", "b", False), ("cyd", "b", True)]]  # fmt: skip
    rows = [prefer(0), *marks]
    assert column("chosen_safe", *rows) == [True]
    assert column("rejected_safe", *rows) == [False]


# ---- several annotators


VOTES = [prefer(0, "ann"), prefer(1, "bob", ("b", "a")), prefer(1, "cyd"), prefer("tie", "dan")]


def test_the_majority_decides_and_a_tie_counts_half():
    assert pairs(*VOTES, labels="majority") == [("a", "b")]
    assert column("agreement", *VOTES, labels="majority") == [0.625]
    assert column("agreement", prefer(0), prefer(1, "bob"), reads=lambda n: n == "tie", labels="majority") == [0.5]


def test_an_even_split_is_no_pair():
    with pytest.raises(DataError, match="no judgement gives pairs"):
        pairs(prefer(0), prefer(1, "bob"), labels="majority")


def test_the_majority_does_not_depend_on_the_order_of_acts():
    assert pairs(*reversed(VOTES), labels="majority") == [("a", "b")]


def test_an_annotator_who_is_always_wrong_counts_against_what_they_say():
    """Ann and bob agree on nine items, cyd says the opposite; on the tenth cyd alone has judged."""
    answers = [(f"a{i}", f"b{i}") for i in range(10)]
    rows = [prefer(i % 2, name, answers[i]) for i in range(9) for name in ("ann", "bob")]
    rows += [prefer(1 - i % 2, "cyd", answers[i]) for i in range(10)]
    assert pairs(*rows, labels="majority")[9] == ("a9", "b9")
    assert pairs(*rows, labels="dawid_skene")[9] == ("b9", "a9")


def test_half_of_the_votes_for_a_tie_do_not_make_one():
    rows = [prefer(0, strength=2), prefer("tie", "bob")]
    assert pairs(*rows, labels="majority") == [("a", "b")]
    assert column("agreement", *rows, labels="majority") == [0.75]
    assert column("margin", *rows, labels="majority") == [None]
    assert column("tie", *rows, prefer("tie", "cyd"), reads=lambda n: n == "tie", labels="majority") == [1.0]


def test_messages_are_one_item_whoever_judged_them():
    asked, said = [{"role": "user", "content": "x?"}], [[{"role": "assistant", "content": x}] for x in "ab"]
    rows = [prefer(0, answers=said, prompt=asked), prefer(1, "bob", said[::-1], prompt=asked)]
    rows += [prefer(1, "cyd", said, prompt=asked)]
    (pair,) = from_rows(rows, "pairs", feedback={"labels": "majority"})
    assert pair.chosen[0]["content"] == "a"
    assert len(from_rows(rows, "prompts")) == 1
    thumbs = [act(n, [said[0]], prompt=asked, type="label", answer=0, label=True) for n in ("ann", "bob")]
    assert len(from_rows(thumbs, "ratings", feedback={"labels": "majority"})) == 1


@pytest.mark.parametrize("kind", ["rankings", "demonstrations", "prompts"])
def test_only_pairs_and_ratings_are_aggregated(kind):
    rows = [prefer(0), act(answers=[], type="demonstration", text="D")]
    with pytest.raises(DataError, match=f"{kind} need labels: each"):
        from_rows(rows, kind, feedback={"labels": "majority"})


def test_the_pairs_of_one_act_have_ids_of_their_own():
    rows = [act(answers="abc", type="ranking", order=[2, 0, 1])]
    assert len({p.id for p in from_rows(rows, "pairs")}) == 3


# ---- other kinds


def ratings(*rows, **settings):
    return [(r.completion, r.label) for r in from_rows(rows, "ratings", feedback=settings or None)]


def test_labels_signals_and_the_halves_of_a_scale_are_thumbs():
    rows = [act(answers=[x], type="label", answer=0, label=x == "a") for x in "ab"]
    rows += [act(answers=["c"], type="signal", answer=0, signal=s) for s in ("copied", "regenerated", "dwell")]
    rows += [rate(score, answer=x, scale=[1, 5]) for x, score in (("d", 4), ("e", 3), ("f", 2))]
    rows += [rate(4, answer="g"), prefer("both_bad", answers="hi"), prefer("both_good", answers="jk"), prefer("tie")]
    expected = [("a", True), ("b", False), ("c", True), ("c", False), ("d", True), ("f", False)]
    assert ratings(*rows) == [*expected, ("h", False), ("i", False), ("j", True), ("k", True)]


def test_most_thumbs_decide():
    rows = [act(n, ["a"], type="label", answer=0, label=n != "bob") for n in ("ann", "bob", "cyd")]
    rows += [act(n, ["b"], type="label", answer=0, label=n != "bob") for n in ("ann", "bob")]
    assert ratings(*rows, labels="majority") == [("a", True)]


def test_safety_is_an_attribute_of_ratings():
    row = act(answers="ab", type="safety", answer=1, safe=False, categories=["privacy_violation"])
    assert ratings(row, attribute="safety") == [("b", False)]


def test_demonstrations_are_what_people_wrote():
    rows = [act(answers=[], type="demonstration", text="D"), edit("A"), prefer(0)]
    data = from_rows(rows, "demonstrations")
    assert [d.completion for d in data] == ["D", "A"]
    assert "judgements of type preference give no demonstrations (1 row, the first row 2)" in data.notices.lines()


def test_prompts_are_asked_once_with_their_columns():
    rows = [prefer(0, act_columns={"answer": "4"}), prefer(1, "bob"), rate(1, prompt="y?")]
    assert [(p.prompt, dict(p.columns)) for p in from_rows(rows, "prompts")] == [("x?", {"answer": "4"}), ("y?", {})]


def test_rankings_have_no_ties():
    rows = [act(answers="abc", type="ranking", order=[2, 0, 1]), act("bob", "abc", type="ranking", order=[2, [0, 1]])]
    data = from_rows(rows, "rankings")
    assert [r.completions for r in data] == [("c", "a", "b")]
    assert data.notices.lines() == ["orders with ties are no rankings and are left out (1 row, the first row 1)"]


# ---- what is left out, and what is wrong


def test_acts_that_are_excluded_repeat_or_check_are_left_out_with_a_notice():
    rows = [
        prefer(0),
        prefer(1, act_excluded="bot"),
        prefer(1, act_repeats="q"),
        prefer(1, act_expected=prefer(0)["judgement"]),
    ]
    data = from_rows(rows, "pairs")
    assert [(p.chosen, p.where) for p in data] == [("a", "row 0")]
    assert len([line for line in data.notices.lines() if "left out" in line]) == 3


def test_a_bad_act_stops_the_run_or_is_dropped():
    rows = [prefer(0), prefer(5), {"prompt": "x", "chosen": "a", "rejected": "b"}]
    with pytest.raises(DataError, match="row 1: 'preferred'"):
        from_rows(rows, "pairs")
    assert [m.split(":")[0] for m in from_rows(rows, "pairs", invalid="drop").dropped] == ["row 1", "row 2"]


def test_an_act_written_twice_counts_once_and_two_acts_have_two_ids():
    same = [prefer(0, act_act="q"), prefer(0, act_act="q")]
    assert pairs(*same) == [("a", "b")]
    with pytest.raises(DataError, match="the act 'q' is that of row 0, but the content differs"):
        pairs(prefer(0, act_act="q"), prefer(1, act_act="q"))


def test_the_ids_of_rows_derive_from_the_acts():
    one, two = from_rows([prefer(0), prefer(1, "bob")], "pairs"), from_rows([prefer(1, "bob"), prefer(0)], "pairs")
    assert {r.id for r in one} == {r.id for r in two}


def test_the_setting_is_only_for_feedback():
    with pytest.raises(DataError, match="rows have a 'judgement'; remove it"):
        from_rows([{"prompt": "x", "completion": "y"}], "demonstrations", feedback={})


def test_a_kind_without_a_view_is_refused():
    with pytest.raises(DataError, match="a feedback file holds no text; it has pairs"):
        from_rows([prefer(0)], "text")


def test_a_file_is_shown_as_what_its_first_act_gives():
    assert "chosen" in columns_of(prefer(0))
    assert "label" in columns_of(act(type="label", answer=0, label=True))
    assert columns_of({"prompt": "x"}) == {"prompt"}


def test_a_view_is_the_same_of_acts_that_were_read():
    acts, errors = read_acts([("f:1", prefer(0)), ("f:2", prefer(1, "bob", ("b", "a")))])
    assert not errors
    assert [(c.first, c.second) for c in comparisons(acts)] == [("a", "b"), ("a", "b")]
