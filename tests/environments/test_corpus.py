"""The corpus that ships, and files of the user."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.environments.corpus import corpus_of
from posttrain.errors import DataError


def test_titles_and_texts_are_searched() -> None:
    corpus = corpus_of(None)
    assert corpus is corpus_of(None)
    assert corpus.search("Ada Aster", 1)[0].title == "Ada Aster"
    company = corpus.search("bicycles", 5)[0]
    assert "makes bicycles" in company.text
    assert len(corpus.search("town", 4)) == 4
    assert corpus.search("qwertz", 4) == []


def test_a_file_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text("".join(json.dumps({"title": t, "text": f"about {t}"}) + "\n" for t in ("moon", "sun")))
    assert [p.title for p in corpus_of(str(file)).search("about the sun", 5)] == ["sun", "moon"]


@pytest.mark.parametrize(("text", "message"), [('{"title": "x"}', r"bad.jsonl:1.*text"), ("no", r"bad.jsonl:1")])
def test_a_corpus_that_is_none_is_an_error(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(text)
    with pytest.raises(DataError, match=message):
        corpus_of(str(tmp_path / "bad.jsonl"))
    with pytest.raises(DataError, match="cannot be read"):
        corpus_of(str(tmp_path / "missing.jsonl"))
