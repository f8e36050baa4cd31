"""Answers beside references, by sacrebleu and by hand."""

from __future__ import annotations

import json

import pytest

from posttrain.evaluation.suites.capability.references import references
from tests.evaluation.scripted import answered

pytest.importorskip("sacrebleu")


def test_the_best_of_several_references_counts(tmp_path):
    from sacrebleu.metrics import BLEU

    texts = ["the cat sat on the mat today", "a dog ran over the wet grass"]
    rows = [{"prompt": str(i), "reference": texts if i else texts[0]} for i in range(2)]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    found = answered(references(data=str(tmp_path / "r.jsonl")), lambda item, _: "a dog sat on the mat today")
    first, second = found.scores["rouge_l"].values()
    assert first == pytest.approx(2 * 5 / 14)
    assert second == first  # the other reference shares "a dog" and "the" only
    want = BLEU(effective_order=True).sentence_score("a dog sat on the mat today", [texts[0]]).score / 100
    assert list(found.scores["bleu"].values())[0] == pytest.approx(want)
    same = answered(references(data=str(tmp_path / "r.jsonl")), lambda *_: texts[0]).numbers
    assert same["chrf"].mean == pytest.approx(1)
