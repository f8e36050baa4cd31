"""People's pairs: dealt without leaks, and learnt by the embedded model as far as they can be."""

from __future__ import annotations

import json

import pytest

from posttrain.data.dataset import load
from posttrain.errors import DataError
from posttrain.evaluation.compare.grid import compare
from posttrain.evaluation.statistics import sign_test
from posttrain.evaluation.tasks.human_pairs import split


def transcripts(folder, count=90):
    """hh-rlhf's format; the chosen answer is always digits. Row 5 is empty, and questions recur."""
    rows = []
    for i in range(count):
        asked = f"\n\nHuman: {i // 3 if i % 3 else i}\n\nAssistant: "
        rows.append({"chosen": asked + (str(i % 10) * 3 if i != 4 else ""), "rejected": asked + "xyz"[i % 3] * 3})
    file = folder / "hh.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return str(file)


def test_no_first_message_is_both_trained_on_and_held_out(tmp_path):
    pairs = load(transcripts(tmp_path), "pairs", invalid="drop").records
    known, unknown = split(pairs, 30)
    assert len(known) + len(unknown) == len(pairs) == 89
    assert 30 <= len(unknown) < 36
    assert not {p.prompt[0]["content"] for p in known} & {p.prompt[0]["content"] for p in unknown}
    assert {p.id for p in split(pairs[::-1], 30)[0]} == {p.id for p in known}


def test_what_people_prefer_is_learnt_and_measured_on_what_was_held_out(tmp_path):
    settings = {"data": transcripts(tmp_path), "model": "tiny", "pairs": 48, "held_out": 30, "answers": 4, "batch": 8}
    settings |= {"learning_rate": 1e-3}
    made = compare(["preference/dpo", "preference/kto"], "human_pairs", seeds=1, settings=settings, output=tmp_path)
    for curves in made.curves.values():
        first, *_, last = curves[0]
        assert (first["accuracy"], first["margin"], first["p"], first["kl"]) == pytest.approx((0.5, 0.0, 1.0, 0.0))
        assert last["accuracy"] > 0.8
        n = made.task.facts["pairs held out"]
        right = round(last["accuracy"] * n)
        assert last["p"] == pytest.approx(sign_test(right, n - right))
    assert made.task.facts["rows dropped from the file"] == 1


def test_too_few_pairs_are_an_error_with_a_remedy(tmp_path):
    with pytest.raises(DataError, match=r"pairs are left to train on .* give --set pairs="):
        compare(["preference/dpo"], "human_pairs", settings={"data": transcripts(tmp_path)}, output=tmp_path)


@pytest.mark.real
def test_smollm2_learns_from_a_few_pairs(tmp_path):
    settings = {"data": transcripts(tmp_path), "pairs": 32, "held_out": 12, "answers": 2, "points": 1, "batch": 8}
    found = compare(["preference/dpo"], "human_pairs", seeds=1, settings=settings, output=tmp_path)
    first, last = found.curves["dpo"][0]
    assert first["accuracy"] == 0.5
    assert last["accuracy"] > 0.8
    assert last["kl"] > 0
