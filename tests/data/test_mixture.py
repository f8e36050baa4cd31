import json

import pytest

from posttrain.config.load import load as load_run_file
from posttrain.data.dataset import load
from posttrain.data.mixture import load_mixture
from posttrain.errors import ConfigError

MINIMAL = {"model": "tiny", "method": "online/grpo", "rewards": ["exact_match"]}


@pytest.fixture
def shards(tmp_path):
    for name, texts in (("b", ["4", "5"]), ("a", ["1", "2", "3"])):
        lines = [json.dumps({"id": i, "prompt": text, "extra": 1}) for i, text in enumerate(texts)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    return tmp_path


def texts(data):
    return [r.prompt for r in data]


def test_a_pattern_and_a_folder_are_read_in_the_order_of_names(shards):
    data = load(str(shards / "*.jsonl"), "prompts")
    assert texts(data) == ["1", "2", "3", "4", "5"]
    assert len({r.id for r in data}) == 5  # the same ids in two files
    assert [r.id for r in data][:3] == [r.id for r in load(str(shards / "a.jsonl"), "prompts")]
    assert texts(load(str(shards), "prompts", size=4)) == ["1", "2", "3", "4"]
    assert load(str(shards), "prompts").fingerprint == data.fingerprint


def test_several_sources_are_joined_or_mixed(shards):
    sources = [{"path": str(shards / "a.jsonl"), "weight": None}, {"path": str(shards / "b.jsonl"), "size": 1}]
    joined = load_mixture(sources, "prompts", reads=lambda column: False)
    assert texts(joined) == ["1", "2", "3", "4"]
    assert joined.epoch_size == 4
    assert joined.name == f"{shards}/a.jsonl + {shards}/b.jsonl"
    assert joined.notices.lines()[1].startswith(f"{shards}/b.jsonl: the column 'extra' is not read (1 row, the first")
    mixed = load_mixture([{"path": s["path"], "weight": 3} for s in sources], "prompts")
    assert mixed.epoch_size == 4
    assert len({r.id for r in mixed}) == 5
    twice = load_mixture([sources[0], sources[0]], "prompts", order="file")
    assert [twice[i].prompt for i in twice.order(0, 0)] == ["1", "2", "3"] * 2


def test_the_run_file_names_several(shards):
    def mix(data, *overrides):
        return load_run_file({**MINIMAL, "data": data}, overrides).data["main"]

    listed = mix(["a.jsonl", {"path": "b.jsonl", "size": 3}])
    assert [(s.path, s.size) for s in listed.mix] == [("a.jsonl", None), ("b.jsonl", 3)]
    assert listed.name == "a.jsonl + b.jsonl"
    assert mix({"path": ["a", "b"], "chat": True}).mix == mix(["a", "b"]).mix
    kept = mix({"path": "a", "chat": True}, "data=[b, c]")
    assert (kept.path, [s.path for s in kept.mix], kept.chat) == ("", ["b", "c"], True)
    back = mix(["a", "b"], "data=c")
    assert (back.path, back.mix) == ("c", ())
    for bad, reason in (
        ({"path": "a", "mix": ["b"]}, "either path, one source, or mix"),
        ([{"path": "a", "weight": 1}, "b"], "some sources of mix have a weight"),
        ({"mix": [{"path": "a", "weight": 1}], "order": "file"}, "no order of the file"),
    ):
        with pytest.raises(ConfigError, match=reason):
            mix(bad)
