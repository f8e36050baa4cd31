"""A model behind a server as a text role: replies, log-probs of first tokens, grades, failures and the cache."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from posttrain.endpoint.failure import ReplyError
from posttrain.errors import ConfigError, DataError, RewardError
from posttrain.roles.endpoint import EndpointRole
from tests.endpoint.server import Behaviour, Server, answer, say, send, status, think
from tests.judges.fake import by_length, shown

TALK = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "yes or no?"})


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def role_of(server: Server, folder: Path | None = None, **settings: Any) -> EndpointRole:
    return EndpointRole("judge", server.endpoint(attempts=1, **settings), folder)


def echo(handler: Any, body: dict[str, Any]) -> None:
    """Say the last message and the seed."""
    say(f"{body['messages'][-1]['content']} {body['seed']}")(handler, body)


def likeliest(**tokens: float) -> Behaviour:
    """Give these first tokens with their probabilities; `_` stands for a space."""
    top = [{"token": t.replace("_", " "), "logprob": math.log(p)} for t, p in tokens.items()]
    content = [{**top[0], "top_logprobs": top}]

    def behave(handler: Any, body: dict[str, Any]) -> None:
        reply = answer(body, top[0]["token"])
        reply["choices"][0]["logprobs"] = {"content": content}
        send(handler, json.dumps(reply).encode())

    return behave


# ---- asking


def test_every_sample_is_a_request_with_a_seed_of_its_own() -> None:
    with Server(echo) as server:
        replies = role_of(server).ask([TALK, "why?", "why?"], samples=2, max_tokens=7, temperature=0.5, seed=3)
    assert [len(own) for own in replies] == [2, 2, 2]
    assert len({text for own in replies for text in own}) == 6
    assert {tuple(text.split(" ")[:-1]) for text in replies[0]} == {("yes", "or", "no?")}
    assert len(server.bodies) == 6
    assert {b["temperature"] for b in server.bodies} == {0.5}
    assert {b["max_tokens"] for b in server.bodies} == {7}
    assert [dict(m) for m in TALK] in [b["messages"] for b in server.bodies]
    assert [{"role": "user", "content": "why?"}] in [b["messages"] for b in server.bodies]
    assert all(0 <= b["seed"] < 2**31 for b in server.bodies)


def test_what_the_run_file_sets_for_requests_takes_precedence() -> None:
    with Server(echo) as server:
        role_of(server, request={"max_completion_tokens": 99, "temperature": 1}).ask([TALK], max_tokens=7)
    (body,) = server.bodies
    assert (body["max_completion_tokens"], body["temperature"]) == (99, 1)
    assert "max_tokens" not in body


def test_a_choice_takes_one_token_whatever_the_limit_of_replies() -> None:
    with Server(likeliest(yes=0.5, no=0.5)) as server:
        role_of(server, request={"max_tokens": 500, "top_logprobs": 5}).choose([TALK], ["yes", "no"])
    (body,) = server.bodies
    assert (body["max_tokens"], body["top_logprobs"]) == (1, 5)


def test_models_of_openai_get_their_name_of_the_limit() -> None:
    role = EndpointRole("judge", {"model": "gpt-5-mini", "budget": {"requests": 20000}})
    assert role._limit == "max_completion_tokens"


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    with Server(echo) as server:
        first = role_of(server, tmp_path).ask([TALK, "why?"], samples=2, max_tokens=7)
        again = role_of(server, tmp_path).ask(["why?", TALK], samples=3, max_tokens=7)
    assert [own[:2] for own in again] == first[::-1]
    assert len(server.bodies) == 6


def test_requests_that_fail_end_the_run_and_the_others_are_kept(tmp_path: Path) -> None:
    with Server(echo, status(500), echo) as server:
        with pytest.raises(RewardError, match=r"models.judge: 1 of 3 requests failed; .* status 500"):
            role_of(server, tmp_path, concurrency=1).ask(["a", "b", "c"], max_tokens=7)
        assert len(role_of(server, tmp_path).ask(["a", "b", "c"], max_tokens=7)) == 3
    assert len(server.bodies) == 4


def test_a_refusal_is_a_reply() -> None:
    def refuse(handler: Any, body: dict[str, Any]) -> None:
        reply = answer(body, "")
        reply["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "I will not."}
        send(handler, json.dumps(reply).encode())

    with Server(refuse) as server:
        assert role_of(server).ask([TALK], max_tokens=7) == [["I will not."]]


# ---- choosing


def test_probabilities_are_renormalised_over_the_options() -> None:
    with Server(likeliest(yes=0.3, _yes=0.1, no=0.2, maybe=0.15, n=0.05, Yes=0.1)) as server:
        assert role_of(server).choose([TALK], ["yes", "no"]) == [
            [pytest.approx(0.4 / 0.65), pytest.approx(0.25 / 0.65)]
        ]
        assert role_of(server).choose([TALK], [["no", "yes"]]) == [
            [pytest.approx(0.25 / 0.65), pytest.approx(0.4 / 0.65)]
        ]
    body = server.bodies[0]
    assert (body["logprobs"], body["top_logprobs"], body["max_tokens"], body["temperature"]) == (True, 20, 1, 1.0)


def test_an_option_that_is_not_among_the_likeliest_has_probability_0() -> None:
    with Server(likeliest(yes=0.3, maybe=0.1)) as server:
        assert role_of(server).choose([TALK], ["yes", "no"]) == [[1.0, 0.0]]
        with pytest.raises(RewardError, match=r"models.judge: none of the options \['A', 'B'\] .*\['yes', 'maybe'\]"):
            role_of(server).choose([TALK], ["A", "B"])


@pytest.mark.parametrize(
    "behaviour",
    [
        say("yes"),
        status(400, message="'logprobs' is not supported with this model"),
        status(403, message="no logprobs"),
    ],
    ids=["none", "status 400", "status 403"],
)
def test_a_server_without_log_probs_cannot_choose(behaviour: Behaviour) -> None:
    with (
        Server(behaviour) as server,
        pytest.raises(ConfigError, match="models.judge: .* can be asked but cannot choose"),
    ):
        role_of(server).choose([TALK], ["yes", "no"])


def test_another_failure_of_the_server_is_no_matter_of_log_probs() -> None:
    with Server(status(500)) as server, pytest.raises(RewardError, match="status 500"):
        role_of(server).choose([TALK], ["yes", "no"])


@pytest.mark.parametrize("options", [["1", "10"], ["yes", " yes, of course"], ["no", " "]])
def test_options_must_differ_in_their_first_letter(options: list[str]) -> None:
    with Server(status(500)) as server, pytest.raises(ConfigError, match="every option begin with another letter"):
        role_of(server).choose([TALK], options)
    assert not server.bodies


# ---- scoring


def test_scores_are_the_grades_of_a_judge() -> None:
    talks = [(*TALK, {"role": "assistant", "content": "x" * n}) for n in (1, 10)]
    with Server(think(by_length)) as server:
        *grades, odd = role_of(server).score([*talks, TALK])
    assert grades == [0.0, 1.0]
    assert isinstance(odd, DataError)
    assert {shown(b)["question"] for b in server.bodies} == {"system: Be brief.\n\nuser: yes or no?"}


def test_a_grade_that_fails_fails_alone() -> None:
    def grumpy(handler: Any, body: dict[str, Any]) -> None:
        (status(500) if shown(body)["answer"] == "bad" else think(by_length))(handler, body)

    talks = [({"role": "user", "content": "?"}, {"role": "assistant", "content": text}) for text in ("bad", "xxxx")]
    with Server(grumpy) as server:
        failed, fine = role_of(server).score(talks)
    assert isinstance(failed, ReplyError)
    assert fine == pytest.approx(1 / 3)


def test_settings_that_are_wrong_name_the_role() -> None:
    with pytest.raises(ConfigError, match="models.judge: endpoint.model is missing"):
        EndpointRole("judge", {"url": "http://localhost"})


def test_a_server_cannot_say_how_likely_a_whole_text_is():
    role = EndpointRole("judge", {"model": "m", "url": "http://localhost:1/v1"})
    with pytest.raises(ConfigError, match=r"models.judge: .* not how likely a whole text"):
        role.choices(["a?"], ["yes", "no"])
