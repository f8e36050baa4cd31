"""Replies on disk: requested once, complete or absent, and never trusted without their checksum."""

import json
import threading

import pytest

from posttrain.endpoint.cache import Cache, key_of
from tests.endpoint.server import Server, late, say, status
from tests.endpoint.test_client import BODY, bodies, client, echo, text

REPLY = {"choices": [{"text": "hi", "refused": "", "cut": False, "logprobs": None}], "usage": [1, 2]}


@pytest.mark.fault("J10")
def test_equal_requests_are_sent_once_in_a_batch_and_once_in_the_life_of_a_folder(tmp_path):
    with Server(echo) as server:
        first = client(server, tmp_path).ask([*bodies(2), *bodies(2)])
        assert len(server.bodies) == 2
        assert client(server, tmp_path).ask([*bodies(2), *bodies(2)]) == first
        assert len(server.bodies) == 2
        client(server).ask(bodies(2))
        assert len(server.bodies) == 4


@pytest.mark.fault("J10")
@pytest.mark.parametrize("change", [{"seed": 1}, {"temperature": 0.5}, {"n": 1}, {"model": "fake-judge-2"}])
def test_any_difference_makes_another_request(tmp_path, change):
    with Server(echo) as server:
        client(server, tmp_path).ask([BODY, {**BODY, **change}])
        assert len(server.bodies) == 2
    assert key_of("http://a", BODY) != key_of("http://b", BODY)
    assert key_of("u", {"a": 1, "b": 2}) == key_of("u", {"b": 2, "a": 1})


@pytest.mark.fault("J10")
@pytest.mark.parametrize("at", range(0, 400, 7))
def test_a_damaged_entry_is_found_and_asked_for_again(tmp_path, at):
    cache = Cache(tmp_path)
    key = key_of("u", BODY)
    cache.put(key, REPLY)
    (file,) = tmp_path.rglob("*.json")
    content = file.read_bytes()
    at %= len(content)
    file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert cache.get(key) is None
    assert cache.damaged == 1
    assert cache.put(key, REPLY) == REPLY
    assert cache.get(key) == REPLY


@pytest.mark.fault("J10")
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"sha256": 1}', b"[" * 100_000, b"null"])
def test_an_entry_that_is_no_entry(tmp_path, content):
    cache, key = Cache(tmp_path), key_of("u", BODY)
    cache.put(key, REPLY)
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(content)
    assert cache.get(key) is None


@pytest.mark.fault("J10")
def test_an_entry_under_the_name_of_another_is_not_believed(tmp_path):
    cache = Cache(tmp_path)
    one, two = key_of("u", BODY), key_of("v", BODY)
    cache.put(one, REPLY)
    (file,) = tmp_path.rglob("*.json")
    (tmp_path / two[:2]).mkdir(exist_ok=True)
    (tmp_path / two[:2] / f"{two}.json").write_bytes(file.read_bytes())
    assert cache.get(two) is None


def test_what_a_crash_left_behind_is_no_entry(tmp_path):
    cache, key = Cache(tmp_path), key_of("u", BODY)
    (tmp_path / key[:2]).mkdir()
    (tmp_path / key[:2] / ".abc.part").write_text('{"sha256": "')
    assert cache.get(key) is None
    cache.put(key, REPLY)
    assert cache.get(key) == REPLY
    assert json.loads(next(tmp_path.rglob("*.json")).read_text())["reply"] == REPLY


def test_of_two_replies_the_first_stands(tmp_path):
    cache, key = Cache(tmp_path), key_of("u", BODY)
    other = {**REPLY, "usage": None}
    assert cache.put(key, REPLY) == REPLY
    assert Cache(tmp_path).put(key, other) == REPLY


def test_two_processes_that_ask_at_once_get_one_reply(tmp_path):
    with Server(late(0.1, say("one")), late(0.1, say("two"))) as server:
        found = []

        def ask():
            found.append(text(client(server, tmp_path).ask([BODY])[0]))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.bodies) == 2
        assert len(set(found)) == 1


def test_a_failure_is_not_kept(tmp_path):
    with Server(status(500), say("fine")) as server:
        client(server, tmp_path, attempts=1).ask([BODY])
        assert text(client(server, tmp_path).ask([BODY])[0]) == "fine"
