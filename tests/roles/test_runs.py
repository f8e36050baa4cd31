"""Text roles in whole runs: as rewards beside functions, asked by procedures, and resumed without asking twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from posttrain.config.load import load
from posttrain.errors import ConfigError, ModelError, RewardError
from posttrain.launch.result import Result
from posttrain.launch.run import open_session
from posttrain.rewards.reward import resolve
from posttrain.training.session import Session
from tests.endpoint.server import Server, answer, say, status, think
from tests.harness.runs import SHORT, SUMS, Interrupt, PowerCut, metrics, run, same_bits
from tests.judges.fake import by_length, shown
from tests.roles.folders import classifier, language_model

BRIEF = [f"{k}={v}" for k, v in {**SHORT, "train.prompts_per_step": 2}.items()]
GRPO: dict[str, Any] = {
    "model": "tiny",
    "method": "online/grpo",
    "data": f"{SUMS},size=8",
    "train": {"steps": 2, "save_every": 1, "samples_every": 1},
    "sampling": {"samples": 3},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of one label, with another tokenizer than `tiny`."""
    return tmp_path_factory.mktemp("classifier")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> tuple[Any, Any]:
    return classifier(folder)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def session(tmp_path: Path, *overrides: str, **changes: Any) -> Session:
    return open_session(load({**GRPO, **changes}, [f"output={tmp_path}", *BRIEF, *overrides]))


def samples(of: Result) -> list[dict[str, Any]]:
    files = sorted((of.directory / "samples").iterdir())
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").split("\n") if line]


def prompts(of: Session) -> Any:
    return of.dataset(of.run.file.data["main"], "prompts")


# ---- rewards


@pytest.mark.parametrize("data", [f"{SUMS},size=8", "arithmetic:size=8"], ids=["text", "conversations"])
def test_a_reward_model_of_another_tokenizer_trains_a_policy(
    tmp_path: Path, folder: Path, theirs: Any, data: str
) -> None:
    models = {"reward": {"path": str(folder), "dtype": "float32"}}
    trained = run({**GRPO, "data": data, "models": models}, tmp_path, *BRIEF)
    rows = metrics(trained)
    assert len(rows) == 2
    assert all(row["rewards/reward/std"] > 0 for row in rows)
    assert all(row["errors/reward_reward"] == 0 for row in rows)
    assert len(written := samples(trained)) == 12
    model, tokenizer = theirs
    for sample in written:
        prompt = sample["prompt"]
        asked = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        talk = [*asked, {"role": "assistant", "content": sample["completion"]}]
        text = tokenizer.apply_chat_template(talk, tokenize=False)
        with torch.no_grad():
            expected = float(model(**tokenizer(text, add_special_tokens=False, return_tensors="pt")).logits)
        assert sample["reward"] == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.usefixtures("theirs")
def test_it_is_one_more_reward_beside_functions(tmp_path: Path, folder: Path) -> None:
    def length(completions: list[str]) -> list[float]:
        return [float(len(text)) for text in completions]

    file = load({**GRPO, "models": {"reward": str(folder)}}, [f"output={tmp_path}", *BRIEF])
    with open_session(file, functions=(resolve(length),)) as s:
        scored = s.collect("a", prompts(s), s.sampling(samples=2))
    for e in scored:
        assert set(e.rewards) == {"length", "reward"}
        assert e.reward == pytest.approx(e.rewards["length"] + e.rewards["reward"])


@pytest.mark.usefixtures("theirs")
def test_two_rewards_of_the_role_s_name_are_an_error(tmp_path: Path, folder: Path) -> None:
    content = {**GRPO, "models": {"reward": str(folder)}, "rewards": [{"path": "exact_match", "name": "reward"}]}
    with pytest.raises(ConfigError, match="two rewards are called 'reward'"):
        run(content, tmp_path, *BRIEF)


@pytest.mark.usefixtures("theirs")
def test_a_cost_is_what_a_method_reads_and_no_part_of_the_reward(tmp_path: Path, folder: Path) -> None:
    roles = {"reward": str(folder), "cost": str(folder)}
    made = run({**GRPO, "method": "online/safe_rlhf", "models": roles}, tmp_path, *BRIEF)
    for row in metrics(made):
        assert row["rewards/cost/mean"] == row["rewards/reward/mean"]
    for sample in samples(made):
        assert sample["reward"] == pytest.approx(sample["rewards"]["reward"])


def test_a_judge_behind_an_endpoint_is_a_reward_and_its_run_resumes(tmp_path: Path) -> None:
    with Server(think(by_length)) as server:
        content = {**GRPO, "models": {"reward": {"endpoint": server.endpoint(budget={"requests": 99})}}}
        whole = run(content, tmp_path / "whole", *BRIEF)
        asked = len(server.bodies)
        with pytest.raises(Interrupt):
            run(content, tmp_path / "cut", *BRIEF, "name=cut", display=PowerCut(1))
        resumed = run(content, tmp_path / "cut", *BRIEF, "name=cut", resume=True)
        assert len(server.bodies) == 2 * asked
    assert same_bits(whole, resumed)
    assert metrics(whole) == metrics(resumed)
    assert {"question", "answer"} == set(shown(server.bodies[0]))


def test_an_endpoint_that_fails_is_counted_like_any_reward(tmp_path: Path) -> None:
    with Server(status(500)) as server:
        content = {**GRPO, "models": {"reward": {"endpoint": server.endpoint(attempts=1)}}}
        with pytest.raises(RewardError, match=r"reward 'reward' \(models.reward\) failed on 6 of 6 .*status 500"):
            run(content, tmp_path, *BRIEF)


# ---- asking and choosing


def yes_or_no(handler: Any, body: dict[str, Any]) -> None:
    top = [{"token": "yes", "logprob": -0.1}, {"token": "no", "logprob": -3.0}]
    choice = answer(body, "yes")["choices"][0] | {"logprobs": {"content": [{**top[0], "top_logprobs": top}]}}
    say("yes", choices=[choice])(handler, body)


def test_a_procedure_asks_and_chooses_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    def verbs(s: Session) -> tuple[Any, Any]:
        replies = s.ask("replies", "judge", prompts(s), samples=2)
        return replies, s.choose("chosen", "judge", prompts(s), ["yes", "no"])

    with Server(yes_or_no) as server:
        file = load({**GRPO, "models": {"judge": {"endpoint": server.endpoint()}}}, [f"output={tmp_path}", "name=run"])
        with open_session(file) as s:
            replies, chosen = verbs(s)
        assert replies == [["yes", "yes"]] * 8
        assert chosen == [[pytest.approx(0.9478, abs=1e-4), pytest.approx(0.0522, abs=1e-4)]] * 8
        assert len(server.bodies) == 8 * (2 + 1)
        with open_session(file, resume=True) as s:
            assert verbs(s) == (replies, chosen)
        (tmp_path / "run" / "kept.jsonl").unlink()  # as if killed before the results were written
        with open_session(file, resume=True) as s:
            assert verbs(s) == (replies, chosen)
        assert len(server.bodies) == 8 * (2 + 1)


def test_the_policy_and_its_partners_are_asked_like_any_model(tmp_path: Path) -> None:
    language_model(tmp_path / "other")
    roles = {"partner": "tiny", "other": str(tmp_path / "other")}
    with session(tmp_path, models=roles, train={"steps": 1}, sampling={"samples": 2}) as s:
        asked = prompts(s)
        for role in ("policy", "partner", "other"):
            replies = s.ask(f"{role} replies", role, asked, max_tokens=3)
            assert [len(own) for own in replies] == [1] * 8
            for probabilities in s.choose(role, role, asked, ["1", "2", "12"]):
                assert sum(probabilities) == pytest.approx(1.0)
        before = s.choose("before", "policy", ["1+1="], ["2", "3"])
        weighed = s.choices("weighed", "policy", ["1+1="], ["2", "3"])
        assert [weighed[0].probabilities()] == [pytest.approx(before[0])]
        assert before == s.choose("partner before", "partner", ["1+1="], ["2", "3"])
        s.train("imitation/sft", s.dataset(s.run.file.data["main"], "demonstrations"), steps=1, learning_rate=1e-2)
        assert s.choose("after", "policy", ["1+1="], ["2", "3"]) != before
        assert s.choose("partner after", "partner", ["1+1="], ["2", "3"]) == before
        for verb in (lambda: s.choose("x", "jugde", asked, ["1", "2"]), lambda: s.ask("y", "jugde", asked)):
            with pytest.raises(ConfigError, match="no model has the role 'jugde'"):
                verb()


def test_choosing_is_what_measuring_the_same_answers_gives(tmp_path: Path) -> None:
    """log p of an answer with its end is that of the option and of the end behind it."""
    from posttrain.formulas.losses.scores import sum_logp
    from posttrain.records import Demonstration, Sampled

    with session(tmp_path) as s:
        encode = lambda text: Sampled(tuple(s.run.encoder.tokenizer(text)["input_ids"]), text)  # noqa: E731
        records = [Demonstration(i, "1+1=", encode(text)) for i, text in enumerate(("2", "13"))]
        measured = torch.tensor(s.measure("m", records, sum_logp)).softmax(0)
        (chosen,) = s.choose("c", "policy", ["1+1="], ["2", "13"])
    torch.testing.assert_close(torch.tensor(chosen), measured, rtol=1e-5, atol=1e-7)


# ---- errors


def test_methods_cannot_read_the_tokens_of_a_text_role(tmp_path: Path) -> None:
    with Server(say("no")) as server:
        content = {**GRPO, "method": "online/grpo", "rewards": ["exact_match"]}
        content["models"] = {"reference": {"endpoint": server.endpoint()}}
        with pytest.raises(ModelError, match="models.reference: fake-judge is behind an endpoint, and grpo reads it"):
            run(content, tmp_path, *BRIEF)


@pytest.mark.usefixtures("theirs")
def test_a_reward_model_that_is_to_be_trained_needs_the_policy_s_tokens(tmp_path: Path, folder: Path) -> None:
    content = {**GRPO, "method": "reward/bradley_terry", "models": {"reward": str(folder)}}
    with pytest.raises(ModelError, match=r"models.reward: .* has no last layer .*set model: .*, and bradley_terry"):
        run(content, tmp_path, *BRIEF)


@pytest.mark.parametrize("role", ["reward", "cost"])
def test_a_role_that_scores_needs_a_score_head(tmp_path: Path, role: str) -> None:
    classifier(tmp_path / "two", labels=2)
    content = {**GRPO, "rewards": ["exact_match"], "models": {role: str(tmp_path / "two")}}
    with pytest.raises(ModelError, match=f"models.{role}: .* no score head of one number, .* give a reward model"):
        run(content, tmp_path / "runs", *BRIEF)
    assert not [*(tmp_path / "runs").glob("*")]  # the name is free again
