"""metrics.jsonl and samples: exact rows, crashes in the middle of a line, and resuming."""

import json
import math
import struct

import pytest

from posttrain.errors import StorageError
from posttrain.records import Episode, Prompt
from posttrain.runs.metrics import MetricsWriter, is_timing, read_metrics
from posttrain.runs.samples import SamplesWriter


def rows(path):
    return list(read_metrics(path))


def test_each_row_is_in_the_file_before_write_returns(tmp_path):
    writer = MetricsWriter(tmp_path / "metrics.jsonl")
    writer.write(1, {"reward": 0.5})
    assert (tmp_path / "metrics.jsonl").read_text() == '{"step": 1, "reward": 0.5}\n'
    writer.write(2, {"reward": 0.25, "note": "ok"})
    assert rows(tmp_path / "metrics.jsonl")[1] == {"step": 2, "reward": 0.25, "note": "ok"}


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-323, 1.7976931348623157e308, -0.0, 2**80, 1 / 3])
def test_numbers_keep_every_digit(tmp_path, value):
    writer = MetricsWriter(tmp_path / "m.jsonl")
    writer.write(1, {"x": value})
    back = rows(tmp_path / "m.jsonl")[0]["x"]
    assert type(back) is type(value)
    assert back == value
    if isinstance(value, float):
        assert struct.pack("d", back) == struct.pack("d", value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_becomes_null(tmp_path, value):
    MetricsWriter(tmp_path / "m.jsonl").write(1, {"x": value})
    assert (tmp_path / "m.jsonl").read_text() == '{"step": 1, "x": null}\n'


def test_step_is_not_a_metric(tmp_path):
    with pytest.raises(ValueError, match="step"):
        MetricsWriter(tmp_path / "m.jsonl").write(1, {"step": 2})


def test_a_resumed_file_equals_an_uninterrupted_one(tmp_path):
    values = {n: {"reward": n / 7, "text": "a\u2028b\r\n"} for n in range(1, 11)}
    whole = MetricsWriter(tmp_path / "whole.jsonl")
    for n, metrics in values.items():
        whole.write(n, metrics)
        if n % 5 == 0:
            whole.write(n, {"eval/accuracy": n / 10})
    broken = MetricsWriter(tmp_path / "broken.jsonl")
    for n in range(1, 9):
        broken.write(n, values[n])
        if n == 5:
            broken.write(n, {"eval/accuracy": n / 10})
    del broken
    with (tmp_path / "broken.jsonl").open("ab") as file:
        file.write(b'{"step": 9, "rew')  # killed in the middle of a line
    resumed = MetricsWriter(tmp_path / "broken.jsonl")
    assert [row["step"] for row in rows(resumed.path)] == [1, 2, 3, 4, 5, 5, 6, 7, 8]
    assert resumed.truncate_after(5) == 3
    for n in range(6, 11):
        resumed.write(n, values[n])
    resumed.write(10, {"eval/accuracy": 1.0})
    resumed.sync()
    resumed.close()
    assert (tmp_path / "broken.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_truncate_after_the_last_step_changes_nothing(tmp_path):
    writer = MetricsWriter(tmp_path / "m.jsonl")
    writer.write(1, {"x": 1})
    before = (tmp_path / "m.jsonl").stat().st_ino
    assert writer.truncate_after(1) == 0
    assert (tmp_path / "m.jsonl").stat().st_ino == before
    assert writer.truncate_after(0) == 1
    assert (tmp_path / "m.jsonl").read_bytes() == b""


@pytest.mark.parametrize("line", ["{", "[1]", '{"reward": 1}', '{"step": null}', "\xff"])
def test_a_damaged_row_is_named(tmp_path, line):
    (tmp_path / "m.jsonl").write_bytes(b'{"step": 1}\n' + line.encode("latin-1") + b"\n")
    with pytest.raises(StorageError, match=r"m\.jsonl:2: "):
        MetricsWriter(tmp_path / "m.jsonl").truncate_after(1)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "m.jsonl").mkdir()
    with pytest.raises(StorageError, match=r"m\.jsonl: cannot be written \(Is a directory\)"):
        MetricsWriter(tmp_path / "m.jsonl")


@pytest.mark.paper("000:[24]")
def test_timings_are_known_by_name():
    assert is_timing("time/sampling")
    assert is_timing("tokens_per_second")
    assert not is_timing("num_tokens")
    assert not is_timing("times")


def rollout(text="19", **changes):
    prompt = Prompt(3, "12 + 7 = ?")
    fields = {
        "author": 0,
        "sample": 1,
        "prompt_tokens": (1, 2),
        "tokens": (5, 6, 7),
        "logp": (-0.1,) * 3,
        "ended": True,
    }
    fields |= {"prompt": prompt, "text": text, "reward": 1.5, "rewards": {"correct": 1.0, "style": None}} | changes
    return Episode.of_answer(**fields)


def test_samples_say_everything_about_a_rollout(tmp_path):
    path = SamplesWriter(tmp_path / "samples").write(10, [rollout(), rollout(reward=math.nan)], [0.5, None])
    assert path == tmp_path / "samples" / "step-000010.jsonl"
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first == {
        "step": 10,
        "prompt_id": 3,
        "sample": 1,
        "author": 0,
        "prompt": "12 + 7 = ?",
        "completion": "19",
        "reward": 1.5,
        "rewards": {"correct": 1.0, "style": None},
        "advantage": 0.5,
        "ended": True,
        "tokens": 3,
    }
    assert second["reward"] is None
    assert second["advantage"] is None


def test_samples_of_any_text_and_conversation_can_be_read_back(tmp_path):
    text = 'umlaut ü, line\nseparator \u2028, quote ", escape \x1b[31m, half a surrogate \udc80'
    messages = ({"role": "user", "content": [{"type": "text", "text": "hi"}, {"score": math.inf, "at": tmp_path}]},)
    path = SamplesWriter(tmp_path).write(1, [rollout(text, prompt=Prompt(0, messages))])
    lines = path.read_bytes().decode("utf-8").split("\n")
    assert len(lines) == 2
    row = json.loads(lines[0])
    assert row["completion"] == text
    assert row["prompt"][0]["content"] == [{"type": "text", "text": "hi"}, {"score": None, "at": str(tmp_path)}]
    assert "ü" in lines[0]


def test_samples_need_one_advantage_each(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        SamplesWriter(tmp_path).write(1, [rollout(), rollout()], [0.5])


def test_samples_of_later_steps_are_forgotten(tmp_path):
    writer = SamplesWriter(tmp_path)
    for step in (5, 10, 15):
        writer.write(step, [rollout()])
    assert writer.truncate_after(5) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["step-000005.jsonl"]
