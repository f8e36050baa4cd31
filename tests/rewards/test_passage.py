"""Rewards read the answer behind a thought, or the thought alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.rewards.arguments import arguments
from posttrain.rewards.passage import Passage
from posttrain.rewards.reward import Reward, resolve
from posttrain.rewards.verdicts import Spans
from posttrain.training.named_rewards import named_rewards
from tests.harness.runs import metrics, run
from tests.rewards import faulty
from tests.rewards.test_trl import ASKED, episodes, scored

ROOT = Path(__file__).parents[2]
TEXT = "<think>a </answer> b</think> c </think> d"


@pytest.mark.parametrize(
    ("after", "before", "read"),
    [
        (None, None, TEXT),
        ("</think>", None, " c </think> d"),  # the first mark ends the thought
        (None, "</think>", "<think>a </answer> b"),
        ("<think>", "</think>", "a </answer> b"),
        ("</think>", "</think>", " c "),  # the next mark behind the first one
        ("</think>", "</answer>", " c </think> d"),  # a mark in the thought ends nothing
        ("<answer>", None, ""),
        ("<answer>", "</think>", ""),
        (None, "<answer>", TEXT),
    ],
)
def test_a_part_lies_between_its_marks(after, before, read):
    assert Passage(after, before).of(TEXT) == read


@pytest.mark.paper("002:o1")
def test_an_answer_in_the_thought_earns_nothing():
    texts = "<think>7</think> 8", "<think>8</think> 7", "<think>8", "8"
    given = {"path": "exact_match", "read_after": "</think>"}
    assert scored([given], episodes(*texts, answer="8"), workers=0)[0] == [[1.0], [0.0], [0.0], [0.0]]
    assert scored(["exact_match"], episodes(*texts, answer="8"), workers=0)[0] == [[0.0], [0.0], [0.0], [1.0]]


def test_every_form_of_a_function_reads_the_part():
    def texts(completions, conversations, opponent): ...

    def trl(completions, **kwargs): ...

    def verl(data_source, solution_str, ground_truth): ...

    asked = (*ASKED, {"role": "assistant", "content": "<think>a"})
    (row,) = episodes("b</think>c", prompt=asked, data_source="x", ground_truth="y", opponent="d</think>e")
    made = {
        f.__name__: arguments(Reward("f", f, signature=f.__name__, passage=Passage("</think>")), [row])
        for f in (texts, trl, verl)
    }
    assert made["texts"]["completions"] == made["verl"]["completions"] == ["c"]
    assert made["texts"]["opponent"] == ["e"]
    assert [m["content"] for m in made["texts"]["conversations"][0]] == ["s", "a half?", "c"]
    assert made["trl"]["completions"] == [[{"role": "assistant", "content": "c"}]]
    assert "completion_ids" not in made["trl"]
    (thought,) = arguments(Reward("f", texts, passage=Passage(None, "</think>")), [row])["conversations"]
    assert thought[-1]["content"] == "<think>ab"
    (plain,) = episodes("b</think>c", prompt="x")
    assert arguments(Reward("f", trl, signature="trl", passage=Passage("</think>")), [plain])["completions"] == ["c"]


def test_tokens_are_not_divided():
    def counted(completions, completion_ids): ...

    assert Reward("counted", counted).reads.tokens
    with pytest.raises(ConfigError, match="reads completion_ids, the tokens of whole answers, which read_after"):
        Reward("counted", counted, passage=Passage(before="</think>"))


def test_spans_of_the_part_lie_in_the_whole_text():
    def first(completions):
        return [Spans([(0, 2, 1.0)]) for _ in completions]

    given = {"path": first, "read_after": "</think>"}
    found, records, counted = scored([given], episodes("ab</think>cd", "a</think>c"), workers=0, max_error_rate=1.0)
    assert found == [[1.0], [None]]
    assert [(s.start, s.end) for s in records[0].spans["first"]] == [(10, 12)]
    assert counted["errors/reward_first"] == 1  # one character has no span of two


def test_a_run_file_says_what_a_reward_reads():
    marks = {"read_after": "<think>", "read_before": "</think>"}
    file = {
        "model": "tiny",
        "method": "online/grpo",
        "data": "arithmetic",
        "rewards": [{"path": "exact_match", **marks}],
    }
    (reward,) = named_rewards(load(file))
    assert reward.passage == Passage("<think>", "</think>")
    mine = Reward("exact_match", faulty.length, passage=Passage("b"))
    for given, kept in (({}, Passage("b")), (marks, Passage("<think>", "</think>"))):
        asked = load(file | {"rewards": [{"path": "exact_match", **given}]})
        (again,) = named_rewards(asked.holding({"exact_match": mine}))
        assert again.passage == kept
    assert resolve("exact_match").passage.is_whole


@pytest.mark.paper("002:o1")
def test_thoughts_train_through_the_recipe(tmp_path):
    """SFT on thoughts and answers, then GRPO whose verifier reads the answers alone."""
    result = run(
        ROOT / "recipes" / "smollm2_o1.yaml", tmp_path, "model=tiny",
        f"data.demonstrations={ROOT}/recipes/thoughts.jsonl",
        "procedure.sft={steps: 1, prompts_per_step: 2}", "procedure.then={steps: 1, prompts_per_step: 2}",
        "data.prompts=arithmetic:size=4", "sampling.max_tokens=4", "sampling.samples=2", "evaluate=null",
        "scoring.workers=0", "train.save_minutes=0",
    )  # fmt: skip
    assert {"rewards/math_answer/mean", "rewards/budget/mean"} < metrics(result)[-1].keys()


def test_the_thoughts_of_the_recipe_earn_every_reward():
    rewards = named_rewards(load(ROOT / "recipes" / "smollm2_o1.yaml"))
    rows = [json.loads(x) for x in (ROOT / "recipes" / "thoughts.jsonl").read_text().splitlines()]
    for row in rows:
        question, answer = (row[key][0]["content"] for key in ("prompt", "completion"))
        a, b = map(int, question.removeprefix("What is ").rstrip("?").split(" + "))
        assert scored(rewards, episodes(answer, answer=a + b), workers=0)[0] == [[1.0, 1.0]]
    assert len({str(row["prompt"]) for row in rows}) == len(rows)
