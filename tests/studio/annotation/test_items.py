"""Items of the usual files and of samples."""

import pytest

from posttrain.errors import ConfigError, DataError
from posttrain.studio.annotation.items import item_of, of_samples, read_lines
from posttrain.studio.annotation.project import Project
from posttrain.studio.samples import groups
from tests.studio.site import answer

ASSISTANT = {"role": "assistant", "content": "a"}


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "chosen": "a", "rejected": "b"},
        {"prompt": "q", "answers": ["a", "b"]},
        {"question": "q", "completions": [{"text": "a", "model": "m"}, "b"]},
        {"data": {"prompt": "q", "answer1": "a", "answer2": "b"}},
        {"fields": {"instruction": "q", "response1": "a", "response2": "b"}, "responses": []},
    ],
)
def test_the_usual_shapes(row):
    item = item_of("line 1", row, 0)
    assert (item.prompt, [a["text"] for a in item.answers]) == ("q", ["a", "b"])


def test_conversations_and_what_is_known_of_an_item():
    row = {"messages": [{"role": "user", "content": "q"}], "answers": [[ASSISTANT], ASSISTANT]}
    item = item_of("line 1", {**row, "expected": {"type": "skip"}, "columns": {"level": 2}, "priority": 3}, 2)
    assert item.prompt == row["messages"]
    assert item.answers == ({"messages": [ASSISTANT]},) * 2
    assert (item.expected, item.columns, item.priority) == ({"type": "skip"}, {"level": 2}, 3.0)


def test_the_order_of_answers_makes_no_other_item():
    one, other, third = (item_of("", {"prompt": "q", "answers": a}, 0) for a in (["a", "b"], ["b", "a"], ["a", "c"]))
    assert one.identity == other.identity != third.identity


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"prompt": "q"}', "2 answers are needed"),
        ('{"answers": ["a", "b"]}', "prompt is missing"),
        ('{"prompt": "q", "answers": [1, 2]}', "an answer is text"),
        ('{"prompt": "q", "answers": ["a", "b"]}\n\nnonsense', "line 3"),
        ("[1]", "element 1"),
        ("[", "no JSON list"),
    ],
)
def test_errors_name_the_place(text, words):
    with pytest.raises(DataError, match=words):
        [item_of(where, row, 2) for where, row in read_lines(text)]


ROWS = [answer(prompt=1, sample=n, text=text) for n, text in enumerate("abcca")] + [answer(prompt=2, text="only")]


@pytest.mark.parametrize(
    ("kind", "counts"), [("pair", [2]), ("ranking", [3]), ("edit", [1] * 4), ("demonstration", [0, 0])]
)
def test_samples_become_items(kind, counts):
    found = list(of_samples(groups(ROWS), kind, "first", 0))
    assert [len(item.answers) for item in found] == counts
    assert all(a["run"] == "first" for item in found for a in item.answers)
    assert all(len({a["text"] for a in item.answers}) == len(item.answers) for item in found)


def test_pairs_are_drawn_by_the_seed_and_not_by_reward():
    drawn = {tuple(a["text"] for a in next(of_samples(groups(ROWS), "pair", "first", s)).answers) for s in range(20)}
    assert drawn == {("a", "b"), ("a", "c"), ("b", "c")}


@pytest.mark.parametrize(
    "settings",
    [{"kind": "poll"}, {"name": ""}, {"overlap": 0}, {"low": 5}, {"high": 90}, {"gold_every": 1}, {"strengths": 6},
     {"kind": "pair", "attributes": ("a", "b")}, {"question": "x" * 201}, {"minutes": 0}],
)  # fmt: skip
def test_what_is_no_project(settings):
    with pytest.raises(ConfigError):
        Project(**{"name": "p", **settings})


def test_a_project_survives_its_text():
    project = Project("p", "rating", "do", attributes=("a", "b"), low=0)
    assert Project.of(project.text()) == project
    assert project.version != Project("p", "rating", "do it").version
