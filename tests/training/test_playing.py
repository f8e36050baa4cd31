"""Episodes of many turns: what is recorded, what is trained, and that its numbers are those of plain transformers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from posttrain.config.load import load
from posttrain.data.collate import collate, episode_rows
from posttrain.errors import ConfigError, DataError, RewardError
from posttrain.launch.run import open_session
from posttrain.models.loading.tiny import TEMPLATE
from posttrain.records import Episode, Prompt
from posttrain.sampling.request import Completion
from posttrain.selection.answers import dataset, demonstrations
from posttrain.training.environments import most_tokens
from posttrain.training.playing import noted
from posttrain.training.session import Session
from tests.harness.runs import metrics, run, same_bits
from tests.training import talk

TALK, ADDS = (f"{talk.__file__}:{name}" for name in ("Talk", "Adds"))
GRPO: dict[str, Any] = {
    "model": "tiny",
    "method": {"path": "online/grpo", "kl.weight": 0},
    "environment": {"path": TALK, "workers": 1},
    "data": {"path": "environment", "size": 6},
    "sampling": {"samples": 2, "max_tokens": 6},
    "train": {"steps": 2, "prompts_per_step": 3, "learning_rate": 1e-2, "samples_every": 1},
}
# It writes what the assistant said last, and of earlier turns that they were.
FORGETS = (
    "{%- for m in messages %}{{ '<|' + m['role'] + '|>' }}"
    "{{ '...' if m['role'] == 'assistant' and not loop.last else m['content'] }}{{ '<|end|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|assistant|>' }}{%- endif %}"
)


def session(**changes: Any) -> Session:
    return open_session(load({**GRPO, **changes}), write=False)


@pytest.fixture(scope="module")
def open_one() -> Iterator[Session]:
    with session() as made:
        yield made


def tasks(*turns: int) -> list[Prompt]:
    return [Prompt(i, f"Say {i}", {"turns": n}, f"row {i}") for i, n in enumerate(turns)]


@pytest.fixture(scope="module")
def plain(open_one: Session) -> LlamaForCausalLM:
    """The model as transformers runs it."""
    trunk = open_one.run.learner.models["policy"].trunk
    model = LlamaForCausalLM._from_config(trunk.config, attn_implementation="eager")
    model.load_state_dict(trunk.state_dict())
    return model.eval()


def wrong(plain: LlamaForCausalLM, e: Episode) -> float:
    """The largest difference between the log-probs of an episode and those of a fresh forward of transformers."""
    gap = 0.0
    for before, segments in e.rows:
        tokens = [*before, *(t for s in segments for t in s.tokens)]
        with torch.no_grad():
            logp = plain(torch.tensor([tokens])).logits[0].log_softmax(-1)
        place = len(before)
        for s in segments:
            for k, token in enumerate(s.tokens):
                gap = max(gap, abs(float(logp[place + k - 1, token]) - s.logp[k]) if s.logp else 0.0)
            place += len(s.tokens)
    return gap


def test_what_is_recorded(open_one: Session) -> None:
    one, three = open_one.sample(tasks(1, 3))
    assert [len(e.segments) for e in (one, three)] == [1, 5]
    assert [s.author for s in three.segments] == [0, None, 0, None, 0]
    assert [s.trained for s in three.segments] == [True, False, True, False, True]
    assert [s.logp is None for s in three.segments] == [False, True, False, True, False]
    assert all(s.versions == (0,) * len(s.tokens) for s in three.segments if s.author == 0)
    turns = [s for s in three.segments if s.author == 0]
    assert [s.reward for s in turns] == [float(sum(c.isdigit() for c in s.text)) for s in turns]
    assert [m["role"] for m in three.conversation] == ["user", *["assistant", "user"] * 3]
    assert [m["content"] for m in three.conversation[1::2]] == [s.text for s in turns]
    assert three.notes == {"environment": [{"turn": n} for n in (1, 2, 3)]}
    assert (three.cut, three.error) == ("", "")


def test_the_tokens_are_those_of_the_template(open_one: Session) -> None:
    (e,) = open_one.sample(tasks(3))
    for turn, text in zip(e.segments[:-1:2], e.segments[1::2], strict=True):
        end = "" if turn.ended else "<|end|>"
        assert text.text == f"{end}<|user|>{len(turn.text)}!<|end|><|assistant|>"
    assert open_one.run.encoder.tokenizer.decode(e.prompt_tokens) == "<|user|>Say 0<|end|><|assistant|>"


def test_log_probs_are_those_of_plain_transformers(open_one: Session, plain: LlamaForCausalLM) -> None:
    for e in open_one.sample(tasks(1, 2, 3)):
        assert wrong(plain, e) < 2e-5


def test_an_episode_depends_on_its_seed_alone(open_one: Session) -> None:
    whole = open_one.sample(tasks(1, 2, 3))
    (alone,) = open_one.sample(tasks(1, 2, 3)[2:])
    assert alone.tokens == whole[2].tokens
    assert alone.logp == pytest.approx(whole[2].logp, abs=1e-5)  # matrices of other shapes
    assert open_one.sample(tasks(1, 2, 3)) == whole


def test_episodes_that_do_not_wait_for_each_other_have_the_same_tokens(open_one: Session) -> None:
    together = open_one.sample(tasks(1, 2, 3))
    with session(environment={**GRPO["environment"], "lockstep": False}) as made:
        apart = made.sample(tasks(1, 2, 3))
    assert [e.tokens for e in apart] == [e.tokens for e in together]
    for one, other in zip(apart, together, strict=True):
        assert one.logp == pytest.approx(other.logp, abs=1e-5)


class Scripted:
    """A sampler that writes what a test says, turn by turn, and keeps the requests."""

    def __init__(self, made: Session, *turns: str) -> None:
        self.encode = made.run.encoder.control.encode
        self.turns, self.requests = list(turns), []
        made.run.generate = self  # type: ignore[method-assign]

    def __call__(self, requests: Any, source: Any, on_finished: Any) -> None:  # noqa: ARG002
        for number, request in enumerate(requests):
            self.requests.append(request)
            tokens = tuple(self.encode(self.turns.pop(0) + "<|end|>"))
            on_finished(number, Completion(tokens, (-1.0,) * len(tokens), ended=True, versions=(0,) * len(tokens)))


def test_tools_are_described_called_and_answered(tmp_path: Path) -> None:
    knows = "{%- if tools %}{{ '<|system|>' + tools[0]['function']['name'] + '<|end|>' }}{%- endif %}" + TEMPLATE
    (tmp_path / "knows.jinja").write_text(knows)
    model = {"path": "tiny", "chat_template": str(tmp_path / "knows.jinja")}
    call = '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}</tool_call>'
    with session(model=model, environment=ADDS) as made:
        player = Scripted(made, call, "<tool_call>{</tool_call>", "5")
        (e,) = made.sample(tasks(1))
        decode = made.run.encoder.tokenizer.decode
    asked = "<|system|>add<|end|><|user|>Say 0<|end|><|assistant|>"
    assert decode(player.requests[0].prompt) == asked
    assert decode(player.requests[1].prompt) == f"{asked}{call}<|end|><|tool|>5<|end|><|assistant|>"
    assert player.requests[2].prompt == (*e.prompt_tokens, *e.tokens[: -len(e.segments[-1].tokens)])
    assert "call 1 cannot be read" in e.conversation[4]["content"]
    assert [s.reward for s in e.segments] == [None, None, None, None, 1.0]
    assert len({r.seed for r in player.requests}) == 3
    assert [r.keep for r in player.requests] == [True] * 3


@pytest.mark.fault("E2")
@pytest.mark.parametrize(
    ("limits", "turns", "cut"), [({"max_turns": 2}, 2, "turns"), ({"max_episode_tokens": 20}, 2, "tokens")]
)
def test_an_episode_is_cut(limits: dict[str, int], turns: int, cut: str) -> None:
    with session(environment={**GRPO["environment"], **limits}) as made:
        (e,) = made.sample(tasks(3))
    assert e.cut == cut
    assert not e.ended
    assert e.segments[-1].author == 0
    assert sum(s.author == 0 for s in e.segments) == turns
    assert len(e.tokens) <= limits.get("max_episode_tokens", 99)


def test_a_template_that_rewrites_turns_makes_rows(tmp_path: Path, plain: LlamaForCausalLM) -> None:
    (tmp_path / "forgets.jinja").write_text(FORGETS)
    with session(model={"path": "tiny", "chat_template": str(tmp_path / "forgets.jinja")}) as made:
        (e,) = made.sample(tasks(3))
        assert wrong(plain, e) < 2e-5
        decode = made.run.encoder.tokenizer.decode
    assert [s.author for s in e.segments] == [0, 0, 0]
    assert [s.context is None for s in e.segments] == [True, False, False]
    lengths = [len(s.text) for s in e.segments]
    past = [f"<|assistant|>...<|end|><|user|>{n}!<|end|>" for n in lengths]
    assert decode(e.rows[2][0]) == f"<|user|>Say 0<|end|>{past[0]}{past[1]}<|assistant|>"
    rows = episode_rows(e, train=True, temperature=1.0, step=0, wanted=("conversation",))
    assert len({r.id for r in rows}) == 3
    assert len({r.columns["conversation"] for r in rows}) == 1
    assert [sum(r.trained) for r in rows] == [len(s.tokens) for s in e.segments]
    assert collate([*rows, replace(rows[0], id=5, answer=None)])["rows"].counted.tolist() == [True, False, False, True]
    with pytest.raises(DataError, match="no row holds the whole episode"):
        demonstrations([e])


def test_pairs_of_answers_need_a_template_that_leaves_turns_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "forgets.jinja").write_text(FORGETS)
    model = {"path": "tiny", "chat_template": str(tmp_path / "forgets.jinja")}
    with (
        session(model=model, method="online/online_dpo") as made,
        pytest.raises(DataError, match="rewrites earlier turns"),
    ):
        made.train("online/online_dpo", dataset(tasks(3, 3, 3), "talk"), steps=1)


def test_an_episode_is_a_demonstration_of_what_the_policy_wrote(open_one: Session) -> None:
    (e,) = open_one.sample(tasks(3))
    (row,) = open_one.run.encoder.rows(demonstrations([e])[0], "demonstrations")
    (own,) = episode_rows(e, train=True, temperature=1.0, step=0)
    assert (row.tokens, row.trained) == (own.tokens, own.trained)


@pytest.mark.fault("E1")
def test_a_failed_episode_has_no_score_and_is_not_trained_on(tmp_path: Path) -> None:
    broken = {"environment": {**GRPO["environment"], "breaks": "Say 01"}, "scoring": {"max_error_rate": 0.5}}
    made = run({**GRPO, **broken}, tmp_path, "train.steps=1", "train.prompts_per_step=6", "rewards=[{environment: 2}]")
    (row,) = metrics(made)
    rows = [json.loads(line) for line in (made.directory / "samples" / "step-000001.jsonl").open(encoding="utf-8")]
    failed = [r for r in rows if r["error"]]
    assert [(r["prompt"], r["reward"], r["rewards"]) for r in failed] == [("Say 01", None, {})] * 2
    assert "RuntimeError: broken" in failed[0]["error"]
    assert row["errors/environment"] == 2
    assert row["rollouts/dropped"] == 2
    several = [r for r in rows if "segments" in r and not r["error"]]
    assert several
    assert all(r["reward"] == 2 * sum(s["reward"] or 0 for s in r["segments"]) for r in several)
    assert row["environment/turns"] == pytest.approx((2 * 1 + 2 * 3 + 2 * 1 + 2 * 2 + 2 * 3) / 10)


def test_too_many_failures_end_the_run(tmp_path: Path) -> None:
    broken = {"environment": {**GRPO["environment"], "breaks": "Say"}}
    with pytest.raises(RewardError, match=r"failed in 1 of 6 episodes, more than scoring.max_error_rate=0.05"):
        run({**GRPO, **broken}, tmp_path)


def test_one_turn_has_the_bits_of_an_answer(tmp_path: Path) -> None:
    given = {"data": "arithmetic:size=6", "rewards": ["tests.rewards.faulty:length"]}
    plain = {key: value for key, value in GRPO.items() if key != "environment"}
    alone = run({**plain, **given}, tmp_path / "alone")
    played = run({**GRPO, **given, "environment": {"path": TALK, "silent": True, "workers": 1}}, tmp_path / "played")
    assert same_bits(alone, played)
    for a, b in zip(metrics(alone), metrics(played), strict=True):
        assert {name: b[name] for name in a if name != "errors/abstained"} == {
            name: x for name, x in a.items() if name != "errors/abstained"
        }


def test_evaluation_plays_episodes(open_one: Session) -> None:
    made = open_one.evaluate(tasks(1, 2), open_one.rewards())
    assert [len(e.segments) for e in made.rollouts] == [1, 3]
    assert all(e.reward is not None for e in made.rollouts)


@pytest.mark.parametrize(
    ("section", "most"), [(None, 6), ({"path": TALK}, 48), ({"path": TALK, "max_turns": 2, "max_episode_tokens": 9}, 9)]
)
def test_the_most_tokens_behind_a_prompt(section: dict[str, Any] | None, most: int) -> None:
    assert most_tokens(load({**GRPO, "data": "arithmetic", "environment": section})) == most


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"method": "preference/dpo", "data": "arithmetic"}, "samples nothing"),
        ({"sampling": {"spare_prompts": 1}}, "spare_prompts"),
        ({"method": "online/mixer"}, "a guide writes"),
        ({"environment": "twenty_question"}, "did you mean 'twenty_questions'"),
        ({"environment": {"path": TALK, "slient": True}}, "did you mean 'silent'"),
        ({"environment": None}, "the run file has no environment"),
    ],
)
def test_what_does_not_go_together(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        session(**changes)


def test_numbers_of_infos_become_metrics() -> None:
    """The sum over the turns of an episode, on average over episodes; texts, truths and NaN are for people alone."""
    infos = ([{"calls": 2, "said": "x", "won": True}, {"calls": 1, "far": float("nan")}], [{}], [{"share": 0.5}], [])
    episodes = [Episode(Prompt(0, "?"), 0, 0, (), (), notes={"environment": list(i)}) for i in infos]
    assert noted(episodes) == {"environment/info/calls": 0.75, "environment/info/share": 0.125}
    assert noted([]) == {}
