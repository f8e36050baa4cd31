"""Numbers, booleans, duplicates, bombs and broken text."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posttrain.config.yaml_ import dump, parse, parse_value
from posttrain.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1.0e-6", 1e-6),
        ("-.5", -0.5),
        ("1.", 1.0),
        (".inf", math.inf),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("+3", 3),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-11-21", "2026-11-21"),
        ("on", "on"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("'1e-4'", "1e-4"),
        ("[1, on, 2e-3]", [1, "on", 2e-3]),
        ("{a: 1, b: [x]}", {"a": 1, "b": ["x"]}),
    ],
)
def test_scalars_follow_yaml_1_2_in_files_and_on_the_command_line(text: str, value: object) -> None:
    in_file = parse(f"key: {text}", "run.yaml").value["key"]
    assert (in_file, type(in_file)) == (value, type(value))
    given_value = parse_value(text, "command line")
    assert (given_value, type(given_value)) == (value, type(value))


def test_nan_is_a_number_here_and_refused_by_the_schema() -> None:
    assert math.isnan(parse_value(".nan", "command line"))


@pytest.mark.parametrize("text", ["a: b", "- x", "*alias", "!tag x", "name #5", "arithmetic:level=2", "@x"])
def test_plain_text_of_the_command_line_is_not_parsed_as_yaml(text: str) -> None:
    assert parse_value(text, "command line") == text


@pytest.mark.fault("F1")
def test_on_is_a_key() -> None:
    assert parse("on: 1\nno: 2", "run.yaml").value == {"on": 1, "no": 2}


@pytest.mark.fault("F1")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "run.yaml: is empty"),
        ("# nothing\n", "run.yaml: is empty"),
        ("- a\n", "run.yaml: must be a mapping (key: value), not a list"),
        ("model", "run.yaml: must be a mapping (key: value), not the value 'model'"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "run.yaml:4:3: 'c' is given twice; the first is on line 3"),
        ("a: 1\n\tb: 2\n", "run.yaml:2:1: not valid YAML"),
        ("a:\n\t- x\n", "not tabs"),
        ("a: [1, 2\nb: 3\n", "run.yaml:2:2: not valid YAML"),
        ("a: b: c\n", "run.yaml:1:5: not valid YAML: mapping values are not allowed here; quote a text"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("a: *x\n", "run.yaml:1:4: not valid YAML: found undefined alias"),
        ("a: !!python/object/apply:os.system [ls]\n", "is not allowed; write plain values"),
        ("a: !!python/name:os.system\n", "is not allowed; write plain values"),
        ("a: !!int x\n", "run.yaml:1: 'x' is no int"),
        ("1: a\n", "run.yaml:1: a key must be text, not 1"),
        ("? [a]\n: b\n", "run.yaml:1: a key must be text"),
        ("a: 1\nb: \x01\n", "run.yaml:2: the character"),
        ("a: " + "[" * 60 + "]" * 60, "nested too deeply"),
        ("a: " + "[" * 5000, "nested too deeply"),
    ],
)
def test_broken_files_are_errors_with_their_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "run.yaml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("run.yaml:")


@pytest.mark.fault("F1")
def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(ConfigError, match="aliases are expanded"):
        parse("\n".join(lines), "run.yaml")


def test_a_value_that_holds_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        parse("a: &a [*a]", "run.yaml")


def test_harmless_aliases_work() -> None:
    assert parse("a: &x {b: 1}\nc: *x\n", "run.yaml").value == {"a": {"b": 1}, "c": {"b": 1}}


def test_marks_name_the_line_of_every_value() -> None:
    marks = parse("a: 1\nb:\n  c: 1\n  d:\n  - 5\n  - x: 1\n", "run.yaml").marks
    assert marks == {
        "a": "run.yaml:1",
        "b": "run.yaml:2",
        "b.c": "run.yaml:3",
        "b.d": "run.yaml:4",
        "b.d.0": "run.yaml:5",
        "b.d.1": "run.yaml:6",
        "b.d.1.x": "run.yaml:6",
    }


def test_environment_variables_stand_in_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRATCH", "/fast")
    monkeypatch.setenv("STEPS", "50")
    monkeypatch.delenv("ABSENT", raising=False)
    text = "a: ${env:SCRATCH}/runs\nb: ${env:STEPS}\nc: $${env:SCRATCH}\nd: ${other}\n"
    assert parse(text, "run.yaml").value == {
        "a": "/fast/runs",
        "b": "50",
        "c": "${env:SCRATCH}",
        "d": "${other}",
    }
    with pytest.raises(ConfigError, match="run.yaml:2: the environment variable 'ABSENT' is not set"):
        parse("a: 1\nb: ${env:ABSENT}", "run.yaml")


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "HF_TOKEN", "APIKEY", "db_password", "AWS_SECRET_ACCESS"])
def test_secrets_do_not_enter_a_run_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hunter2")
    with pytest.raises(ConfigError, match="name the variable instead") as caught:
        parse(f"a: ${{env:{name}}}", "run.yaml")
    assert "hunter2" not in str(caught.value)


def test_names_that_only_resemble_secrets_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENIZER_PATH", "t")
    assert parse("a: ${env:TOKENIZER_PATH}", "run.yaml").value == {"a": "t"}


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.sampled_from(["1e-4", "010", "on", "~", "${env:X}", "$${env:X}", "$$${env:X}", "<<", "=", "1:30", ".5", "- a"]),
)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(st.dictionaries(st.text(min_size=1), _VALUES, min_size=1))
def test_what_is_dumped_is_read_back(value: dict[str, object]) -> None:
    assert parse(dump(value), "run.yaml").value == value


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        parse(text, "run.yaml")
