import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posttrain.data.readers import text_lines as lines_module
from posttrain.data.readers.files import read
from posttrain.errors import DataError, MissingExtraError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(st.text(), JSON, max_size=4), min_size=1, max_size=5)


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path):
    with pytest.raises(DataError) as caught:
        list(read(path))
    message = str(caught.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=ROWS, ascii_only=st.booleans(), suffix=st.sampled_from([".jsonl", ".jsonl.gz", ".json", ".json.gz"]))
def test_what_is_written_is_read(tmp_path, rows, ascii_only, suffix):
    texts = [json.dumps(r, ensure_ascii=ascii_only) for r in rows]
    content = ("\n".join(texts) if "jsonl" in suffix else "[" + ",\n".join(texts) + "]").encode()
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    assert list(read(path)) == [(f"{path}:{i}", r) for i, r in enumerate(rows, 1)]


@pytest.mark.fault("D2", "D3")
def test_blank_lines_and_a_byte_order_mark_are_skipped_and_counted(tmp_path):
    path = written(tmp_path, "a.jsonl", '\ufeff\n{"a": 1}\r\n   \n{"a": 2}')
    assert list(read(path)) == [(f"{path}:2", {"a": 1}), (f"{path}:4", {"a": 2})]


def test_rows_of_a_json_list_are_named_by_their_lines(tmp_path):
    path = written(tmp_path, "a.json", '[\n  {"a":\n 1},\n\n {"a": 2}, {"a": 3}]\n')
    assert [(w.removeprefix(f"{path}:"), r["a"]) for w, r in read(path)] == [("2", 1), ("5", 2), ("5", 3)]
    lines = written(tmp_path, "b.json", '{"a": 1}\n{"a": 2}\n')
    assert [r["a"] for _, r in read(lines)] == [1, 2]


@pytest.mark.fault("D1")
def test_malformed_json_names_line_and_column_and_shows_the_place(tmp_path):
    lines = [f'{{"a": {i}}}' for i in range(100)]
    lines[41] = '{"text": "' + "x" * 60 + '" "b": 1, "c": "' + "y" * 60 + '"}'
    message = refusal(written(tmp_path, "a.jsonl", "\n".join(lines)))
    assert message.startswith(":42:73: not valid JSON (Expecting ',' delimiter), near ")
    near = message.split("near ")[1]
    assert '" "b": 1' in near
    assert len(near) <= 90


@pytest.mark.fault("D2", "D6", "D10")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"a": 1', ":2:8: not valid JSON"),
        ('{"a": 1} {"b": 2}', ":2:10: text after the end of the object"),
        ("[1, 2]", ":2:1: a row must be an object like {...}, not a list"),
        ('{"a": 1, "b": 2, "a": 3}', ":2: the key 'a' stands twice in one object"),
        ('{"m": [{"role": "x", "role": "y"}]}', ":2: the key 'role' stands twice in one object"),
        ('{"a": NaN}', ":2: NaN is not a JSON number"),
        ('{"a": -Infinity}', ":2: -Infinity is not a JSON number"),
        ('{"a": 1e400}', ":2: the number 1e400 is too large"),
        ('{"a": ' + "7" * 5000 + "}", ":2: a number has 5000 digits"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", ":2:1: nested too deeply"),
        ('{"a": "é\\ud800b"}', ":2:9: byte 10 of the line begins \\ud800, half of a character"),
        ('{"a": "\\ud83d\\ude00", "b": "\\ude00"}', ":2:29: byte 29 of the line begins \\ude00"),
        (b'{"a": "caf\xe9"}', ":2: byte 11 of the line (0xe9) is not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', ":2: byte 8 of the line (0xed) is not UTF-8"),
        (b'{"a": "x\x00y"}', ":2: byte 9 of the line is NUL"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, expected):
    line = line if isinstance(line, bytes) else line.encode()
    message = refusal(written(tmp_path, "a.jsonl", b'{"a": 0}\n' + line + b'\n{"a": 2}\n'))
    assert message.startswith(expected)


def test_a_pair_of_surrogates_is_a_character(tmp_path):
    path = written(tmp_path, "a.jsonl", '{"a": "\\ud83d\\ude00", "b": "\\\\ud800"}')
    assert next(read(path))[1] == {"a": "\N{GRINNING FACE}", "b": "\\ud800"}


@pytest.mark.fault("D2")
def test_utf16_is_named(tmp_path):
    message = refusal(written(tmp_path, "a.jsonl", '{"a": 1}'.encode("utf-16")))
    assert message == ":1: byte 1 begins UTF-16 text; save the file as UTF-8"


@pytest.mark.fault("D11")
def test_a_line_without_end_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lines_module, "LONGEST", 1000)
    assert ":1: the line is longer than" in refusal(written(tmp_path, "a.txt", "x" * 5000))


@pytest.mark.fault("D3")
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt"])
@pytest.mark.parametrize("content", ["", "\n\n  \n"])
def test_a_file_without_rows_is_refused(tmp_path, name, content):
    if name == "a.csv" and content:
        content = "prompt,answer\n"
    assert refusal(written(tmp_path, name, content)) == ": 0 examples; the file holds no rows"


def test_a_json_list_must_be_whole(tmp_path):
    assert refusal(written(tmp_path, "a.json", '[{"a": 1}\n {"a": 2}]')).startswith(":2:2: expected ',' or ']'")
    assert refusal(written(tmp_path, "b.json", '[{"a": 1},\n')).startswith(":2:1: not valid JSON")
    assert refusal(written(tmp_path, "c.json", "[]\nx")).startswith(":2:1: text after the end of the list")
    assert refusal(written(tmp_path, "d.json", '"text"')).startswith(":1:1: a JSON file holds a list of objects")
    assert refusal(written(tmp_path, "e.json", "[]")) == ": 0 examples; the file holds no rows"


@pytest.mark.fault("D12")
def test_broken_gzip_names_the_file(tmp_path):
    packed = gzip.compress(b'{"a": 1}\n' * 1000)
    assert refusal(written(tmp_path, "cut.jsonl.gz", packed[:-20])).startswith(": the compressed file is cut off")
    assert refusal(written(tmp_path, "b.jsonl.gz", b'{"a": 1}\n')).startswith(": not a sound gzip file")


def test_csv_cells_are_text_and_rows_are_named_by_their_first_line(tmp_path):
    path = written(tmp_path, "a.csv", 'prompt,answer\r\n"two\nlines, quoted ""so""",4\n\n5 + 5,10\n')
    assert list(read(path)) == [
        (f"{path}:2", {"prompt": 'two\nlines, quoted "so"', "answer": "4"}),
        (f"{path}:5", {"prompt": "5 + 5", "answer": "10"}),
    ]
    tabs = written(tmp_path, "a.tsv", "prompt\tanswer\na, b\t1\n")
    assert [r for _, r in read(tabs)] == [{"prompt": "a, b", "answer": "1"}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2\n1,2,3\n", ":3: 3 cells, but the header names 2 columns"),
        ("a,b\n1\n", ":2: 1 cells, but the header names 2 columns"),
        ("a,b,a\n1,2,3\n", ":1: the column 'a' stands twice in the header"),
        ('a,b\n1,2\n"open,4\n', ":3: not valid CSV"),
    ],
)
def test_bad_csv_is_named(tmp_path, content, expected):
    assert refusal(written(tmp_path, "a.csv", content)).startswith(expected)


def test_txt_lines_are_texts(tmp_path):
    path = written(tmp_path, "a.txt", "one\r\n\n two \n")
    assert list(read(path)) == [(f"{path}:1", {"text": "one"}), (f"{path}:3", {"text": " two "})]


@pytest.mark.fault("D12")
def test_missing_unknown_and_folder(tmp_path):
    written(tmp_path, "train.jsonl", '{"a": 1}')
    assert refusal(tmp_path / "trian.jsonl") == ": no such file (did you mean 'train.jsonl'?)"
    assert "the folder" in refusal(tmp_path / "nowhere" / "a.jsonl")
    assert ": unknown file format '.xml'" in refusal(written(tmp_path, "a.xml", "x"))


@pytest.mark.fault("D12")
def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"prompt": [{"role": "user", "content": "2 + 2"}], "answer": 4}, {"prompt": [], "answer": None}]
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    assert list(read(path)) == [(f"{path}:{i}", r) for i, r in enumerate(rows, 1)]
    whole = path.read_bytes()
    assert refusal(written(tmp_path, "cut.parquet", whole[: len(whole) // 2])).startswith(": not a sound Parquet file")


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"reading Parquet files needs .*posttrain\[data\]"):
        list(read(written(tmp_path, "a.parquet", "x")))


def rows_of(path):
    return [row for _, row in read(path)]


def test_one_object_or_a_list_in_an_object(tmp_path):
    row = {"messages": [{"role": "user", "content": "a"}], "n": 1}
    for name, content, expected in (
        ("one.json", row, [row]),
        ("only.json", {"messages": row["messages"]}, [{"messages": row["messages"]}]),
        ("data.json", {"version": 1, "data": [row, row]}, [row, row]),
        ("any.json", {"questions": [row]}, [row]),
        ("train.json", {"train": [row], "info": {"by": "me"}}, [row]),
    ):
        assert rows_of(written(tmp_path, name, json.dumps(content, indent=1))) == expected
        assert rows_of(written(tmp_path, name, json.dumps(content))) == expected
    two = written(tmp_path, "two.json", json.dumps({"train": [row], "test": [row]}))
    assert refusal(two) == ": the file holds the lists train, test; write each to a file of its own"
    pretty = written(tmp_path, "several.json", "\n".join([json.dumps(row, indent=1)] * 2))
    assert [where.rpartition(":")[2] for where, _ in read(pretty)] == ["1", "10"]
    assert next(read(written(tmp_path, "x.json", json.dumps({"data": [row]}))))[0].endswith("x.json:data[0]")


def test_ndjson_and_zstd(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    text = b'{"a": 1}\n' * 3000
    assert len(rows_of(written(tmp_path, "a.ndjson", text))) == 3000
    packed = zstandard.ZstdCompressor().compress(text)
    assert len(rows_of(written(tmp_path, "a.jsonl.zst", packed + packed))) == 6000  # two frames
    assert refusal(written(tmp_path, "cut.jsonl.zst", packed[:-9])).startswith(": the compressed file is cut off")
    assert refusal(written(tmp_path, "bad.jsonl.zst", b"nonsense")).startswith(": not a sound zstd file")


def test_zstd_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[data\]"):
        rows_of(written(tmp_path, "a.jsonl.zst", b""))


def test_arrow_files_and_streams(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.Table.from_pylist([{"a": 1}, {"a": 2}])
    with pyarrow.ipc.new_file(tmp_path / "file.arrow", table.schema) as writer:
        writer.write_table(table)
    with pyarrow.ipc.new_stream(tmp_path / "stream.arrow", table.schema) as writer:
        writer.write_table(table)
    for name in ("file.arrow", "stream.arrow"):
        assert rows_of(tmp_path / name) == [{"a": 1}, {"a": 2}]
    assert refusal(written(tmp_path, "bad.feather", b"nonsense")).startswith(": not a sound Arrow file")


def test_folders_and_patterns(tmp_path):
    for name in ("b.jsonl", "a.jsonl"):
        written(tmp_path, name, json.dumps({"name": name}))
    written(tmp_path, "README.txt", "words")
    written(tmp_path, "state.json", "{}")
    assert rows_of(tmp_path) == [{"name": "a.jsonl"}, {"name": "b.jsonl"}]
    assert rows_of(f"{tmp_path}/b*.jsonl") == [{"name": "b.jsonl"}]
    with pytest.raises(DataError, match="no file fits this pattern"):
        rows_of(f"{tmp_path}/c*.jsonl")
    written(tmp_path, "c.csv", "a\n1\n")
    assert "the folder holds files of several formats; name one" in refusal(tmp_path)
    splits = tmp_path / "splits"
    splits.mkdir()
    assert "holds no file of a known format" in refusal(splits)
    for name in ("train-1.jsonl", "test-1.jsonl"):
        written(splits, name, "{}")
    assert f": the folder holds test and train; name one: {splits}/*test*.jsonl" in refusal(splits)
    odd = written(tmp_path, "odd[1].jsonl", '{"a": 1}')  # a name that looks like a pattern
    assert rows_of(odd) == [{"a": 1}]


def test_json_in_a_file_of_lines_says_what_to_do(tmp_path):
    pretty = written(tmp_path, "a.jsonl", '{\n "a": 1\n}')
    assert "write one object per line, or call the file .json" in refusal(pretty)
    assert "a file that holds one list is called .json" in refusal(written(tmp_path, "b.jsonl", '[{"a": 1}]'))
