"""The card of a finished model can be read by hubs, and its run file by us."""

from __future__ import annotations

import yaml

from posttrain.runs.card import write_card

CONFIG = {"model": {"path": "tiny"}, "method": {"path": "online/grpo", "beta": 0.1}, "data": "päths.jsonl"}


def parts(folder):
    head, _, text = (folder / "README.md").read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")
    return yaml.safe_load(head), text


def test_the_head_names_the_base_model_and_the_method(tmp_path):
    write_card(tmp_path, CONFIG, ["before: 0.25", "after: 0.75"])
    head, text = parts(tmp_path)
    assert head == {"library_name": "posttrain", "base_model": "tiny", "tags": ["posttrain", "online/grpo"]}
    assert text.strip().startswith("# tiny, trained with online/grpo\n\nbefore: 0.25\nafter: 0.75\n")


def test_the_run_file_is_in_it_whole(tmp_path):
    write_card(tmp_path, CONFIG, [])
    _, text = parts(tmp_path)
    assert "No evaluation was asked for." in text
    assert yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0]) == CONFIG


def test_a_procedure_is_named_in_the_place_of_a_method(tmp_path):
    write_card(tmp_path, {**CONFIG, "method": None, "procedure": {"path": "rounds/raft"}}, [])
    assert parts(tmp_path)[0]["tags"] == ["posttrain", "rounds/raft"]
