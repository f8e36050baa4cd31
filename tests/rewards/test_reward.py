"""How rewards are specified, and the errors for invalid specifications."""

import sys

import pytest

from posttrain.catalogue.index import import_file
from posttrain.errors import ConfigError
from posttrain.rewards.bundled.exact_match import exact_match
from posttrain.rewards.lookup import bundled
from posttrain.rewards.reward import Reward, resolve
from tests.rewards import faulty

EXPECTED = "def name(prompts: list[str], completions: list[str], **columns: list) -> list[float | None]"


@pytest.fixture
def file(tmp_path):
    def write(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_every_bundled_name_resolves():
    assert {"exact_match", "judge", "judge_pairs", "judge_rubric", "math_answer", "regex_format"} <= set(bundled())
    assert resolve("math_answer").name == "math_answer"
    assert resolve("exact_match").reads.required == ("answer",)
    assert resolve({"path": "regex_format", "pattern": "a"}).reads.settings == ("pattern",)


def test_an_unknown_name_is_an_error_with_a_suggestion_and_the_list():
    with pytest.raises(ConfigError, match=r"no reward 'math_anwser' \(did you mean 'math_answer'\?\)") as error:
        resolve("math_anwser")
    assert ", ".join(bundled()) in str(error.value)


def test_the_forms_of_a_file(file, monkeypatch):
    path = file("def brevity(prompts, completions):\n    return [0.0 for _ in completions]\n")
    monkeypatch.chdir(path.parent)
    for spec in (f"{path}:brevity", "mine.py:brevity", "./mine.py:brevity", "python:mine.py:brevity"):
        reward = resolve(spec)
        assert (reward.name, reward.function) == ("brevity", f"{path}:brevity")


def test_a_module_a_mapping_and_a_callable_give_the_same_reward():
    by_name = resolve({"tests.rewards.faulty:length": 0.5})
    assert by_name == resolve({"path": "tests.rewards.faulty:length", "weight": 0.5})
    assert by_name == Reward("length", faulty.length, 0.5)
    assert hash(by_name) == hash(Reward("length", faulty.length, 0.5))
    assert resolve(by_name) is by_name
    assert resolve(exact_match) == resolve("exact_match")


def test_a_mapping_may_rename_and_set():
    reward = resolve({"path": "tests.rewards.faulty:brevity", "name": "short", "weight": -1, "limit": 3})
    assert (reward.name, reward.weight, reward.settings) == ("short", -1, {"limit": 3})


def test_functions_that_no_worker_can_import_stay_themselves():
    def closure(completions):
        return [0.0]

    for function in (closure, lambda completions: [0.0]):
        assert resolve(function).function is function


def test_a_function_of_a_file_that_was_loaded_by_its_path_is_found_by_its_path(file):
    path = file("def mine(completions):\n    return [0.0]\n")
    assert resolve(import_file(path, "procedure").mine).function == f"{path}:mine"


@pytest.mark.fault("F4", "P9")
@pytest.mark.parametrize(
    ("text", "function", "said"),
    [
        ("raise RuntimeError('at import')", "f", "at import"),
        ("import sys; sys.exit(3)", "f", "SystemExit: 3"),
        ("def (", "f", "SyntaxError"),
        ("import nonexistent_module", "f", "No module named 'nonexistent_module'"),
        ("def brevity(completions): pass", "brevty", "did you mean 'brevity'?"),
        ("f = 3", "f", "'f' is int, not a function"),
        ("def f(texts): pass", "f", "its signature is (texts)"),
        ("def f(prompts): pass", "f", "does not take `completions`"),
        ("def f(prompts, completions, /): pass", "f", "takes arguments without names"),
        ("def f(*args): pass", "f", "takes arguments without names"),
    ],
)
def test_a_plugin_that_cannot_be_used_names_itself_and_the_expected_signature(file, text, function, said):
    path = file(text)
    with pytest.raises(ConfigError) as error:
        resolve(f"{path}:{function}")
    assert said in str(error.value)
    assert EXPECTED in str(error.value)
    assert str(path) in str(error.value) or f"'{function}'" in str(error.value)


@pytest.mark.fault("F4")
def test_files_and_modules_that_are_not_there(file, monkeypatch):
    path = file("def brevity(completions): pass")
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConfigError, match="there is no file .*/absent.py"):
        resolve("absent.py:f")
    with pytest.raises(ConfigError, match=r"did you mean mine.py:brevity\?"):
        resolve("mine:brevity")
    with pytest.raises(ConfigError, match=r"write mine.py:brevity"):
        resolve("mine.py")
    with pytest.raises(ConfigError, match="neither a .py file nor a module"):
        resolve("/some where:f")
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"path": "regex_format"}, "needs the setting 'pattern'"),
        ({"path": "regex_format", "patern": "a"}, r"regex_format.patern: unknown setting \(did you mean 'pattern'\?\)"),
        ({"path": "exact_match", "limit": 3}, "settings none"),
        ({"weight": 2.0, "limit": 3}, "has no path"),
        ({"math_answer": "1"}, "weight is '1'"),
        ({"math_answer": float("nan")}, "weight is nan"),
        ({"math_answer": True}, "weight is True"),
        (3, "not int 3"),
    ],
    ids=repr,
)
def test_a_mapping_that_cannot_be_right(spec, said):
    with pytest.raises(ConfigError, match=said):
        resolve(spec)
