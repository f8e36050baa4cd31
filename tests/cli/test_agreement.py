"""`posttrain data agreement` and the other data commands on feedback files."""

from __future__ import annotations

import json

import pytest

from posttrain.cli.main import main
from tests.cli.test_data import called
from tests.data.feedback.acts import prefer, rate


def measured(folder, capsys, rows, code=0):
    file = folder / "feedback.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(SystemExit) as stop:
        main(["data", "agreement", str(file), "--resamples", "20", "--json"])
    assert stop.value.code == code
    out = capsys.readouterr()
    return json.loads(out.out) if out.out else out.err


def items(annotator, preferred, **more):
    return [prefer(p, annotator, (f"a{i}", f"b{i}"), **more) for i, p in enumerate(preferred)]


def test_who_agrees_with_whom(tmp_path, capsys):
    rows = [*items("ann", [0, 1, 0, 1]), *items("bob", [0, 1, 0, 1]), *items("cyd", [1, 0, 1, 0])]
    report = measured(tmp_path, capsys, rows)
    asked = report["questions"]["preference"]
    assert (asked["judgements"], asked["items"], asked["judged_by_several"]) == (12, 4, 4)
    assert asked["agreement"] == pytest.approx(1 / 3)
    value, low, high = asked["alpha_nominal"]
    assert value == pytest.approx(1 - (2 / 3) / (6 * 6 * 2 / (12 * 11)))
    assert low <= value <= high
    people = report["annotators"]
    assert [people[name]["agrees_with_others"] for name in ("ann", "bob", "cyd")] == [0.5, 0.5, 0.0]
    assert people["ann"]["estimated_accuracy"] > 0.9 > 0.1 > people["cyd"]["estimated_accuracy"]


def test_what_is_known_of_an_annotator(tmp_path, capsys):
    rows = [
        prefer(0, act_shown=[0, 1], act_seconds=2, act_act="q"),
        prefer(1, answers="cd", act_shown=[1, 0], act_seconds=4),
        prefer(0, answers="ef", act_shown=[1, 0], act_expected={"type": "preference", "preferred": 0}),
        prefer(1, act_repeats="q"),
        prefer(0, act_repeats="q"),
    ]
    person = measured(tmp_path, capsys, rows)["annotators"]["ann"]
    assert person["first_shown_preferred"] == pytest.approx(2 / 3)
    assert (person["checks_passed"], person["repeats_itself"], person["seconds"]) == (1.0, 0.5, 3)
    assert person["agrees_with_others"] is None
    assert person["estimated_accuracy"] is None  # nobody else judged these


def test_ratings_are_numbers(tmp_path, capsys):
    scores = {"ann": [1, 2, 5], "bob": [1, 3, 5]}
    rows = [rate(score, who, f"a{i}") for who, own in scores.items() for i, score in enumerate(own)]
    report = measured(tmp_path, capsys, rows)
    assert report["questions"]["rating"]["alpha_interval"][0] > 0.9
    assert report["annotators"]["ann"]["estimated_accuracy"] is None


def test_bad_rows_and_other_files(tmp_path, capsys):
    report = measured(tmp_path, capsys, [prefer(0), prefer(7)], code=3)
    assert len(report["unusable"]) == 1
    assert "no row has a 'judgement'" in measured(tmp_path, capsys, [{"prompt": "x"}], code=3)


def test_the_tables_are_printed(tmp_path, capsys):
    assert called("show", tmp_path, [prefer(0)]) == 0
    assert "x?⟦a" in capsys.readouterr().out
    assert called("check", tmp_path, [prefer(0), prefer("tie", "bob")]) == 0
    assert "ties give pairs only to methods" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit):
        main(["data", "agreement", str(tmp_path / "d.jsonl"), "--resamples", "5"])
    assert "2 acts of 2 annotators" in " ".join(capsys.readouterr().out.split())


def test_a_judge_that_prefers_the_longer_answer_the_first_and_its_own(tmp_path, capsys):
    """People prefer the shorter answer, shown last, of another model in every second item; the judge never does."""
    rows = []
    for i in range(8):
        texts = (f"a{i}", f"b{i} and more")
        answers = [{"text": texts[0], "model": "other"}, {"text": texts[1], "model": "gpt"}]
        rows += [prefer(i % 2, who, texts) for who in ("ann", "bob")]
        rows += [prefer(1, "gpt", texts, act_role="model", act_shown=[1, 0]) | {"answers": answers}]
    report = measured(tmp_path, capsys, rows)
    assert report["biases"].keys() == {"gpt"}
    assert {name: found[0] for name, found in report["biases"]["gpt"].items()} == {
        "verbosity": 1.0,
        "position": 1.0,
        "self-preference": 1.0,
    }
    fair = [row | {"judgement": {"type": "preference", "preferred": i // 3 % 2}} for i, row in enumerate(rows)]
    assert measured(tmp_path, capsys, fair)["biases"]["gpt"]["verbosity"][0] == 0.0
