"""What was said, in the shapes of others: every act stays in the feedback file, training gets what counts."""

import csv
import io
import json

import pytest

from posttrain.data.dataset import load as load_data
from posttrain.data.feedback.views import read_acts
from posttrain.studio.annotation.export import SHAPES, results
from posttrain.studio.annotation.progress import report


def act(n, who, preferred, item="i1", **other):
    answers = [{"text": "=good", "model": "m1"}, {"text": "bad"}]
    known = {"act": f"a{n}", "annotator": who, "item": item, "prompt": "q", "answers": answers, "shown": [1, 0]}
    return {**known, "judgement": {"type": "preference", "preferred": preferred}, **other}


ACTS = [act(1, "ann", 0), act(2, "bob", 0), act(3, "eve", 1), act(4, "ann", 1, excluded="withdrawn by the annotator")]


def written(shape, acts=ACTS):
    text = SHAPES[shape][1](acts)
    return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]


def test_most_votes_decide_a_pair():
    (row,) = written("preferences")
    assert (row["prompt"], row["chosen"], row["rejected"]) == ("q", "=good", "bad")
    assert row["agreement"] == pytest.approx(2 / 3)


def test_an_adjudicator_decides_alone():
    (row,) = written("preferences", [*ACTS, act(5, "boss", 1, role="adjudicator")])
    assert (row["chosen"], row["agreement"]) == ("bad", 1.0)


def test_the_feedback_file_holds_everything_and_trains(tmp_path):
    file = tmp_path / "feedback.jsonl"
    file.write_text(SHAPES["feedback"][1](ACTS), encoding="utf-8")
    assert len(written("feedback")) == 4
    assert len(load_data(str(file), "pairs")) == 3


def test_a_conversation_stays_one():
    acts = [{**act(1, "ann", 0), "prompt": [{"role": "user", "content": "q"}]}]
    (row,) = written("preferences", acts)
    assert row["chosen"] == [{"role": "assistant", "content": "=good"}]


def test_other_kinds():
    acts = [
        act(1, "ann", 0) | {"judgement": {"type": "rating", "answer": 0, "score": 5, "scale": [1, 5]}},
        act(2, "ann", 0, item="i2") | {"judgement": {"type": "edit", "answer": 1, "text": "better"}},
    ]
    assert [(r["completion"], r["label"]) for r in written("unpaired", acts)] == [("=good", True)]
    assert [r["completion"] for r in written("completions", acts)] == ["better"]
    assert [(r["chosen"], r["rejected"]) for r in written("preferences", acts)] == [("better", "bad")]


def test_label_studio_and_argilla_group_by_item():
    (task,) = written("label_studio")
    assert task["data"]["answer1"] == "=good"
    assert [a["completed_by"]["username"] for a in task["annotations"]] == ["ann", "bob", "eve"]
    assert task["annotations"][2]["result"][0]["value"] == {"selected": "right"}
    (record,) = written("argilla")
    assert record["fields"] == {"prompt": "q", "response1": "=good", "response2": "bad"}
    assert len(record["responses"]) == 3


@pytest.mark.parametrize(
    ("judgement", "value"),
    [
        ({"type": "rating", "answer": 0, "score": 3}, {"rating": 3}),
        ({"type": "ranking", "order": [1, 0]}, {"ranker": {"rank": [1, 0]}}),
        ({"type": "demonstration", "text": "x"}, {"text": ["x"]}),
        ({"type": "spans", "spans": [{"start": 1, "end": 2, "category": "c"}]},
         {"start": 1, "end": 2, "text": "", "labels": ["c"]}),
        ({"type": "preference", "preferred": "tie"}, {"selected": "tie"}),
    ],
)  # fmt: skip
def test_results_of_label_studio(judgement, value):
    assert results(judgement)[0]["value"] == value
    assert results({"type": "skip"}) == []


@pytest.mark.fault("U8")
def test_a_spreadsheet_runs_nothing():
    rows = list(csv.reader(io.StringIO(SHAPES["csv"][1]([{**ACTS[0], "reason": "=1+1", "prompt": "@x"}]))))
    assert rows[1][5] == "'=1+1"
    assert rows[1][9] == "'@x"


def test_agreement_leaves_out_what_was_taken_back():
    found = report(read_acts((a["act"], a) for a in ACTS)[0])
    assert found["questions"]["preference"]["judgements"] == 3
    assert found["annotators"]["ann"]["judgements"] == 1
    assert found["annotators"]["ann"]["agrees_with_others"] == 0.5
