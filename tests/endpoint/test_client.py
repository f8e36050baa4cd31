"""The client against a server with every kind of fault."""

import asyncio
import gzip
import json
import logging
import os
import socket
import sys
import time

import pytest

from posttrain.endpoint.client import Client
from posttrain.endpoint.endpoint import Endpoint
from posttrain.endpoint.failure import RefusedError, ReplyError
from posttrain.errors import ConfigError, MissingExtraError
from tests.endpoint.server import Server, answer, cut, drip, drip_headers, flood, late, raw, say, send, status

CANARY = "sk-canary-0123456789"
BODY = {"messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def client(server, folder=None, **settings):
    return Client(Endpoint.of(server.endpoint(**settings)), folder)


def bodies(count):
    return [{"messages": [{"role": "user", "content": str(k)}]} for k in range(count)]


def text(reply):
    assert not isinstance(reply, Exception), reply
    return reply.choices[0].text


def failure(server, **settings):
    (found,) = client(server, **settings).ask([BODY])
    assert isinstance(found, ReplyError), found
    assert CANARY not in str(found)
    return str(found)


def echo(handler, body):
    send(handler, json.dumps(answer(body, body["messages"][0]["content"])).encode())


# ---- what goes right


def test_a_request_is_what_the_protocol_says():
    with Server(say("hi")) as server:
        reply = client(server, request={"max_tokens": 7}).ask([BODY])[0]
    assert (text(reply), reply.usage) == ("hi", (100, 20))
    assert server.bodies == [{"path": "/v1/chat/completions", "model": "fake-judge", "max_tokens": 7, **BODY}]
    assert server.headers[0]["authorization"] == f"Bearer {CANARY}"
    assert server.headers[0]["content-type"] == "application/json"
    assert server.headers[0]["accept-encoding"] == "identity"


def test_replies_are_where_their_requests_were_whatever_order_they_come_in():
    def backwards(handler, body):
        number = int(body["messages"][0]["content"])
        late(0.02 * (8 - number), echo)(handler, body)

    with Server(backwards) as server:
        assert [text(r) for r in client(server).ask(bodies(8))] == [str(k) for k in range(8)]


def test_no_more_requests_at_once_than_said():
    with Server(late(0.03, echo)) as server:
        client(server, concurrency=3).ask(bodies(12))
        assert server.most == 3
        assert len(server.bodies) == 12


def test_several_choices_come_in_the_order_of_their_numbers():
    def shuffled(handler, body):
        made = answer(body, "a", "b", "c")
        made["choices"].reverse()
        send(handler, json.dumps(made).encode())

    with Server(shuffled) as server:
        reply = client(server).ask([{**BODY, "n": 3}])[0]
    assert [c.text for c in reply.choices] == ["a", "b", "c"]


def test_inside_a_running_loop_too():
    async def notebook():
        return text(client(server).ask([BODY])[0])

    with Server(say("hi")) as server:
        assert asyncio.run(notebook()) == "hi"


def test_text_that_is_no_unicode_reaches_the_server():
    with Server(echo) as server:
        assert text(client(server).ask([{"messages": [{"role": "user", "content": "a\ud800"}]}])[0]) == "a\ud800"


# ---- faults


@pytest.mark.fault("J1")
def test_too_many_requests_are_tried_again_after_the_time_that_the_server_asks_for():
    with Server(status(429, Retry_After="0.3"), say("at last")) as server:
        start = time.monotonic()
        assert text(client(server).ask([BODY])[0]) == "at last"
        assert time.monotonic() - start >= 0.3


@pytest.mark.fault("J1")
@pytest.mark.parametrize("after", ["-5", "nonsense", "", "nan", "Wed, 21 Oct 2015 07:28:00 GMT", "1e400"])
def test_nonsense_in_retry_after_is_no_reason_to_wait(after):
    with Server(status(429, Retry_After=after), say("at last")) as server:
        start = time.monotonic()
        assert text(client(server).ask([BODY])[0]) == "at last"
        assert time.monotonic() - start < 1.0


@pytest.mark.fault("J1")
def test_a_huge_retry_after_is_cut_and_a_pause_beyond_the_total_deadline_is_not_begun():
    with Server(status(429, Retry_After="86400"), say("at last")) as server:
        start = time.monotonic()
        assert text(client(server, longest_pause=0.2).ask([BODY])[0]) == "at last"
        assert 0.2 <= time.monotonic() - start < 2
    with Server(status(429, Retry_After="86400")) as server:
        start = time.monotonic()
        assert "given up after 1 attempts; the last error: status 429 (no)" in failure(server, total=5.0)
        assert time.monotonic() - start < 1


@pytest.mark.fault("J2")
@pytest.mark.parametrize("code", [500, 502, 503, 408])
def test_a_server_that_recovers_is_waited_for(code):
    with Server(status(code), status(code), say("at last")) as server:
        assert text(client(server).ask([BODY])[0]) == "at last"
        assert len(server.bodies) == 3


@pytest.mark.fault("J2")
def test_a_server_that_never_recovers_is_an_error_of_the_request():
    with Server(status(500, message=f"at {CANARY}")) as server:
        assert "given up after 3 attempts; the last error: status 500 (at ***)" in failure(server, attempts=3)
        assert len(server.bodies) == 3

    def sometimes(handler, body):
        (status(500) if body["messages"][0]["content"] == "1" else echo)(handler, body)

    with Server(sometimes) as server:
        found = client(server, attempts=2).ask(bodies(3))
    assert [isinstance(r, ReplyError) for r in found] == [False, True, False]


@pytest.mark.fault("J3")
def test_a_refused_connection_and_a_host_without_an_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/v1", "http://nowhere.invalid/v1"):
        made = Client(Endpoint.of({"url": url, "model": "m", "attempts": 2, "pause": 0.01, "total": 20.0}))
        (found,) = made.ask([BODY])
        assert "given up after 2 attempts; the last error: ConnectError" in str(found)


@pytest.mark.fault("J3")
def test_a_server_that_speaks_no_tls():
    with Server(say("hi")) as server:
        url = server.url.replace("http:", "https:")
        (found,) = Client(Endpoint.of({"url": url, "model": "m", "attempts": 1})).ask([BODY])
    assert "SSL" in str(found)


@pytest.mark.fault("J3")
def test_a_server_that_accepts_and_says_nothing():
    with Server(late(30, say("too late"))) as server:
        start = time.monotonic()
        assert "ReadTimeout" in failure(server, read=0.2, attempts=2)
        assert time.monotonic() - start < 2


@pytest.mark.fault("J3")
@pytest.mark.parametrize("slow", [drip, drip_headers])
def test_a_slow_drip_ends_at_the_total_deadline(slow):
    with Server(slow) as server:
        start = time.monotonic()
        assert "no reply within 0.5 s in total" in failure(server, total=0.5)
        assert 0.4 < time.monotonic() - start < 1.5


@pytest.mark.fault("J3")
def test_a_body_that_is_cut_is_asked_for_again():
    with Server(cut, say("whole")) as server:
        assert text(client(server).ask([BODY])[0]) == "whole"
    with Server(cut) as server:
        assert "given up after 2 attempts" in failure(server, attempts=2)


@pytest.mark.fault("J3")
def test_no_connection_and_no_descriptor_is_left():
    before = len(os.listdir("/proc/self/fd"))
    for behaviour in (echo, cut, drip, status(500), flood):
        with Server(behaviour) as server:
            client(server, total=0.3, attempts=2).ask(bodies(3))
            end = time.monotonic() + 5
            while server.open and time.monotonic() < end:
                time.sleep(0.01)
            assert server.open == 0
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.fault("J4")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"choices": [', "cannot be read"),
        (b"\xff\xfe{}", "cannot be read"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": 1, "a": 2}', "a key occurs twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be read"),
    ],
    ids=["truncated", "no UTF-8", "nested", "NaN", "twice", "5000 digits"],
)
def test_a_body_that_is_no_json_is_asked_for_again_then_an_error(content, said):
    with Server(raw(content), say("fine")) as server:
        assert text(client(server).ask([BODY])[0]) == "fine"
    with Server(raw(content)) as server:
        assert said in failure(server, attempts=2)


@pytest.mark.fault("J4")
def test_a_web_page_is_no_reply():
    with Server(raw(b"<html>log in</html>", kind="text/html")) as server:
        assert "'text/html', not application/json" in failure(server, attempts=1)


@pytest.mark.fault("J5")
@pytest.mark.parametrize("code", [401, 402, 403, 404])
def test_a_wrong_key_or_model_stops_at_once_without_showing_the_key(code):
    with Server(status(code, message=f"Incorrect API key provided: {CANARY}")) as server:
        with pytest.raises(RefusedError, match=rf"status {code} \(Incorrect API key provided: \*\*\*\)") as error:
            client(server, concurrency=1).ask(bodies(5))
        assert len(server.bodies) == 1
    assert error.value.exit_code == 6
    assert CANARY not in repr(error.value)


@pytest.mark.fault("J5")
def test_an_account_without_money_is_no_reason_to_wait():
    with Server(status(429, error="insufficient_quota")) as server:
        with pytest.raises(RefusedError):
            client(server).ask([BODY])
        assert len(server.bodies) == 1


@pytest.mark.fault("J8")
@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://169.254.169.254/latest", "/v1/elsewhere"])
def test_no_redirect_is_followed(target):
    with Server(status(302, Location=target)) as server:
        assert f"a redirect to '{target}', which is not followed" in failure(server)
        assert len(server.bodies) == 1


@pytest.mark.fault("J8")
def test_a_giant_reply_is_not_read_to_its_end():
    with Server(flood) as server:
        start = time.monotonic()
        assert "larger than 8 MiB" in failure(server)
        assert time.monotonic() - start < 5


@pytest.mark.fault("J8")
def test_a_compressed_bomb_is_not_unpacked():
    bomb = gzip.compress(b" " * (1 << 26))
    with Server(raw(bomb, Content_Encoding="gzip")) as server:
        assert "compressed, which was not asked for" in failure(server)


@pytest.mark.fault("J9")
def test_the_key_is_in_no_log_no_error_and_no_file(tmp_path, caplog):
    behaviours = (
        status(500, message=CANARY),
        cut,
        raw(CANARY.encode()),
        say(f"no {CANARY}", model=CANARY),
    )
    with caplog.at_level(logging.DEBUG):
        for behaviour in (*behaviours, say("fine")):
            with Server(behaviour) as server:
                made = client(server, tmp_path, attempts=2)
                found = made.ask([BODY])
                assert CANARY not in repr(found)
                assert CANARY not in repr(vars(made))
    assert CANARY not in caplog.text
    files = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert files
    assert not [f for f in files if CANARY.encode() in f.read_bytes()]


@pytest.mark.fault("J9")
@pytest.mark.parametrize(
    "settings",
    [
        {"url": f"https://user:{CANARY}@host/v1"},
        {"url": f"https://host/v1?api_key={CANARY}"},
        {"key_variable": CANARY},
    ],
    ids=["user", "query", "variable"],
)
def test_a_key_where_none_belongs_is_an_error_that_does_not_repeat_it(settings):
    with pytest.raises(ConfigError) as error:
        Client(Endpoint.of({"model": "m", **settings}))
    assert CANARY not in str(error.value)


@pytest.mark.fault("J9")
def test_a_key_that_no_header_can_carry(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one\r\nX-Two: 2")
    with pytest.raises(ConfigError, match=r"\$OPENAI_API_KEY holds characters") as error:
        Client(Endpoint.of({"model": "m"}))
    assert "sk-one" not in str(error.value)


@pytest.mark.fault("J11")
@pytest.mark.parametrize(
    ("behaviour", "asked", "said"),
    [
        (say("a", "b"), {"n": 3}, "3 choices were asked for, and the reply holds 2"),
        (say("a"), {"logprobs": True}, "log-probabilities were asked for, and the reply holds none"),
        (say("a", model="other-judge"), {}, "'fake-judge' was asked, and the model 'other-judge' answered"),
        (say("a", model="fake-judge-mini"), {}, "the model 'fake-judge-mini' answered"),
        (raw(b"[1]"), {}, r"no list of choices"),
        (raw(b'{"choices": [{"message": "hi"}]}'), {}, "holds no message"),
        (raw(b'{"choices": [{"message": {"content": 3}}]}'), {}, "is no text"),
        (
            raw(b'{"choices": [{"index": 0, "message": {}}, {"index": 0, "message": {}}]}'),
            {"n": 2},
            "are numbered [0] instead of 0 to 1",
        ),
    ],
    ids=["choices", "logprobs", "model", "smaller model", "list", "message", "content", "numbered twice"],
)
def test_a_reply_to_another_question_names_the_difference_and_is_not_asked_for_again(behaviour, asked, said):
    with Server(behaviour) as server:
        (found,) = client(server).ask([{**BODY, **asked}])
        assert isinstance(found, ReplyError)
        assert said in str(found)
        assert len(server.bodies) == 1


def test_a_dated_version_of_the_model_and_the_name_that_was_announced_are_the_model():
    with Server(say("a", model="fake-judge-2026-08-07")) as server:
        assert text(client(server).ask([BODY])[0]) == "a"
    with Server(say("a", model="/models/judge")) as server:
        assert text(client(server, served_as="/models/judge").ask([BODY])[0]) == "a"


# ---- JSON schemas


SCHEMA = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}}


@pytest.mark.parametrize("code", [400, 422])
def test_a_server_without_json_schemas_is_asked_once_more_without_and_remembered(code):
    def old(handler, body):
        (status(code) if body["response_format"]["type"] == "json_schema" else echo)(handler, body)

    with Server(old) as server:
        made = client(server, concurrency=1)
        assert [text(r) for r in made.ask([{**b, **SCHEMA} for b in bodies(3)])] == ["0", "1", "2"]
        kinds = [b["response_format"]["type"] for b in server.bodies]
    assert kinds == ["json_schema"] + ["json_object"] * 3


def test_a_request_that_is_wrong_for_another_reason_is_an_error():
    with Server(status(400, message="too long")) as server:
        assert "status 400 (too long)" in str(client(server).ask([{**BODY, **SCHEMA}])[0])
        assert len(server.bodies) == 2
        assert "status 400" in failure(server)
        assert len(server.bodies) == 3


# ---- settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "endpoint.model is missing"),
        ({"model": "m", "concurency": 2}, r"concurency is unknown \(did you mean 'concurrency'\?\)"),
        ({"model": "m", "url": "file:///etc/passwd"}, "must begin with http"),
        ({"model": "m", "url": "host/v1"}, "must begin with http"),
        ({"model": "m", "total": 0}, "endpoint.total is 0"),
        ({"model": "m", "attempts": 1.5}, "endpoint.attempts is 1.5"),
        ({"model": "m", "read": float("nan")}, "endpoint.read is nan"),
        ({"model": "m", "budget": {"requests": 0}}, "endpoint.budget.requests is 0"),
        ({"model": "m", "budget": {"dollars": 1}}, "endpoint.budget.dollars is unknown"),
        ({"model": "m", "budget": {"money": 5}}, "needs endpoint.prices"),
        ({"model": "m", "budget": 5}, "endpoint.budget is a mapping"),
    ],
)
def test_settings_that_cannot_be_right(settings, said):
    with pytest.raises(ConfigError, match=said):
        Endpoint.of(settings)


def test_where_a_server_is_without_a_url(monkeypatch):
    assert Endpoint.of({"model": "m"}).url == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1/")
    assert Endpoint.of({"model": "m"}).url == "http://localhost:8000/v1"


@pytest.mark.fault("F3")
def test_without_the_extra_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'posttrain\[judge\]'"):
        Client(Endpoint.of({"model": "m"})).ask([BODY])
