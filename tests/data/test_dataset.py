import json

import pytest

from posttrain.data.dataset import from_rows, load
from posttrain.data.sources import parse_spec
from posttrain.errors import ConfigError, DataError, MissingExtraError
from posttrain.records import Prompt
from posttrain.seeds import seed_for


def file_of(tmp_path, rows, name="data.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(r) for r in rows))
    return path


def numbered(count):
    return [{"id": i, "prompt": f"{i} + 1 ="} for i in range(count)]


def test_a_file_is_loaded_with_its_places(tmp_path):
    path = file_of(tmp_path, [{"question": "a", "answer": "#### 1"}, {"question": "b", "answer": "#### 2"}])
    data = load(str(path), "prompts", columns={"prompt": "question"}, answer_after="####", chat=True)
    assert data.name == str(path)
    assert list(data) == [
        Prompt(seed_for("row", 0), ({"role": "user", "content": "a"},), {"answer": "1"}, f"{path}:1"),
        Prompt(seed_for("row", 1), ({"role": "user", "content": "b"},), {"answer": "2"}, f"{path}:2"),
    ]
    assert list(load(str(path), "prompts", columns={"prompt": "question"}, size=1)) == [
        Prompt(seed_for("row", 0), "a", {"answer": "#### 1"}, f"{path}:1")
    ]


def test_the_order_is_a_permutation_that_depends_on_epoch_seed_and_ids_alone():
    data = from_rows(numbered(50), "prompts")
    first = list(data.order(0, 7))
    assert sorted(first) == list(range(50))
    assert first != sorted(first)
    assert list(from_rows(numbered(50), "prompts").order(0, 7)) == first
    assert list(data.order(1, 7)) != first
    assert list(data.order(0, 8)) != first
    assert list(data.order(0, 7)) == first
    backwards = from_rows(numbered(50)[::-1], "prompts")
    assert [backwards[i].id for i in backwards.order(0, 7)] == [data[i].id for i in first]


def test_every_order_is_about_equally_likely():
    """With three records, each of the six orders occurs in about a sixth of the epochs."""
    data = from_rows(numbered(3), "prompts")
    counts = {}
    for epoch in range(1200):
        order = tuple(data.order(epoch, 0))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert all(150 < n < 250 for n in counts.values())


def test_the_fingerprint_is_that_of_the_content(tmp_path):
    rows = numbered(3)
    print_of = load(str(file_of(tmp_path, rows)), "prompts").fingerprint
    assert print_of == load(str(file_of(tmp_path, rows, "moved.jsonl")), "prompts").fingerprint
    assert len(print_of) == 16
    changed = [{**rows[0], "answer": "1"}, *rows[1:]]
    assert print_of != from_rows(changed, "prompts").fingerprint
    assert print_of != from_rows(rows[::-1], "prompts").fingerprint


def test_rows_are_named_by_number():
    with pytest.raises(DataError, match=r"^row 3: 'chosen' is missing"):
        from_rows([*[{"prompt": "a", "chosen": "b", "rejected": "c"}] * 3, {"prompt": "a"}], "pairs")


def test_all_bad_rows_are_counted(tmp_path):
    path = file_of(tmp_path, [{"prompt": "a"}, {"prompt": ""}, {"prompt": "b"}, {"prompt": ""}, {"prompt": ""}])
    with pytest.raises(DataError) as caught:
        load(str(path), "prompts")
    assert str(caught.value).splitlines() == [
        f"{path}:2: 'prompt' is empty",
        f"2 more rows cannot be used, the next: {path}:4: 'prompt' is empty",
        "2 rows can be used; to leave such rows out, set invalid: drop for this data",
    ]


def test_bad_rows_are_dropped_where_that_is_asked_for_and_never_silently(tmp_path, caplog):
    rows = [{"id": 0, "prompt": "a"}, {"prompt": ""}, {"id": 0, "prompt": "b"}, {"id": 1, "prompt": "c"}]
    path = file_of(tmp_path, rows)
    data = load(str(path), "prompts", invalid="drop")
    assert [r.prompt for r in data] == ["a", "c"]
    assert data.dropped[0] == f"{path}:2: 'prompt' is empty"
    assert data.dropped[1].startswith(f"{path}:3: the id is that of {path}:1, but the content differs")
    assert caplog.messages == [f"{path}: dropped 2 of 4 rows: {'; '.join(data.dropped)}"]
    assert data.fingerprint == from_rows([rows[0], rows[3]], "prompts").fingerprint


def test_a_file_of_bad_rows_and_a_file_that_cannot_be_read_stop_even_so(tmp_path):
    with pytest.raises(DataError, match="'prompt' is empty"):
        load(str(file_of(tmp_path, [{"prompt": ""}])), "prompts", invalid="drop")
    path = tmp_path / "broken.jsonl"
    path.write_text('{"prompt": "a"}\n{"prompt"')
    with pytest.raises(DataError, match="broken.jsonl:2"):
        load(str(path), "prompts", invalid="drop")


@pytest.mark.fault("D5")
def test_the_same_id_is_the_same_record_or_an_error(tmp_path):
    rows = [{"id": "a", "prompt": "x"}, {"id": "b", "prompt": "x"}, {"id": "a", "prompt": "x"}]
    assert [r.id for r in from_rows(rows, "prompts")] == [seed_for("id", "a"), seed_for("id", "b")]
    path = file_of(tmp_path, [*rows, {"id": "b", "prompt": "y"}])
    with pytest.raises(DataError, match=f"{path}:4: the id is that of {path}:2, but the content differs"):
        load(str(path), "prompts")


def test_unknown_data_kinds_and_settings():
    with pytest.raises(DataError, match=r"aritmetic: no such data \(did you mean 'arithmetic'\?\)"):
        load("aritmetic", "prompts")
    with pytest.raises(ConfigError, match=r"unknown kind of data 'pair' \(did you mean 'pairs'\?\)"):
        load("arithmetic", "pair")
    with pytest.raises(ConfigError, match="unknown setting 'splt'; a hub dataset takes config, split, revision"):
        load("owner/name:splt=train", "prompts")
    with pytest.raises(ConfigError, match="cannot read 'level'"):
        load("arithmetic:level", "prompts")
    assert parse_spec("a/b:config=main, split=train") == ("a/b", {"config": "main", "split": "train"})
    with pytest.raises(DataError, match="0 examples"):
        from_rows([], "prompts")


@pytest.mark.fault("D14")
def test_a_hub_dataset_that_is_not_cached_is_one_line(monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DataError) as caught:
        load("nobody/nothing-at-all:split=test", "prompts")
    assert str(caught.value).startswith(
        "nobody/nothing-at-all: the hub cannot be reached and the dataset is not cached"
    )
    assert "\n" not in str(caught.value)


def test_a_hub_dataset_is_read_row_by_row(monkeypatch):
    datasets = pytest.importorskip("datasets")
    asked = []

    def load_dataset(name, config, **how):
        asked.append((name, config, how))
        return datasets.Dataset.from_list([{"prompt": "a"}, {"prompt": "b"}])

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    data = load("owner/name:config=main,split=test", "prompts")
    assert [(r.prompt, r.where) for r in data] == [("a", "owner/name[test]:1"), ("b", "owner/name[test]:2")]
    assert asked == [("owner/name", "main", {"split": "test", "revision": None})]


def test_a_hub_dataset_is_streamed(monkeypatch):
    datasets = pytest.importorskip("datasets")
    asked = []

    def load_dataset(name, config, **how):
        asked.append(how)
        return datasets.Dataset.from_list([{"prompt": str(i)} for i in range(5)]).to_iterable_dataset()

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    data = load("owner/name", "prompts", window=3)
    assert [r.prompt for r in data] == ["0", "1", "2"]
    assert [[r.where for r in w] for w in data.windows.read(1)] == [["owner/name[train]:4", "owner/name[train]:5"]]
    assert all(how["streaming"] for how in asked)


def test_the_hub_without_datasets_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[data\]"):
        load("owner/name", "prompts")
