"""Records under one system prompt."""

import json

import pytest

from posttrain.data.dataset import from_rows
from posttrain.data.under import prompt_text, under_system
from posttrain.errors import ConfigError, DataError
from posttrain.records import Demonstration, Pair, Prompt

TALK = ({"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"})
SYSTEM = {"role": "system", "content": "Add."}


def test_every_kind_is_under_it_where_its_prompt_is():
    made = under_system([Prompt(0, "1+1?"), Pair(1, TALK[:1], "2", "3"), Demonstration(2, "", TALK)], "Add.")
    assert made[0].prompt == "Add.\n1+1?"
    assert made[1].prompt == (SYSTEM, TALK[0])
    assert (made[2].prompt, made[2].completion) == ("", (SYSTEM, *TALK))


def test_a_text_has_no_place_for_it():
    with pytest.raises(DataError, match="file:3: a text without a prompt has no place for `system`"):
        under_system([Demonstration(0, "", "text", "file:3")], "Add.")


def test_a_system_message_in_parts_keeps_its_words():
    parts = {"role": "system", "content": [{"type": "text", "text": "Be kind."}]}
    (made,) = under_system([Prompt(0, (parts, TALK[0]))], "Add.")
    assert made.prompt[0]["content"] == "Add.\n\nBe kind."


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "p.txt").write_bytes(b"\xff\xfe")
    for file, reason in (("p.txt", "it is not UTF-8"), ("none.md", "No such file")):
        with pytest.raises(ConfigError, match=reason):
            prompt_text(str(tmp_path / file))


def test_a_run_file_and_python_say_it(tmp_path):
    from posttrain.config.sections.data import Data
    from posttrain.training.datasets import Datasets

    (tmp_path / "rows.jsonl").write_text(json.dumps({"prompt": "1+1?", "answer": "2"}))
    (tmp_path / "prompt.txt").write_text("Add.\n")
    source = Data(path=str(tmp_path / "rows.jsonl"), system=str(tmp_path / "prompt.txt"), chat=True)
    (row,) = Datasets().read(source, "prompts")
    assert row.prompt == (SYSTEM, TALK[0])
    plain = from_rows([{"prompt": "1+1?"}], "prompts")
    assert plain.fingerprint != from_rows([{"prompt": "1+1?"}], "prompts", system="Add.").fingerprint
