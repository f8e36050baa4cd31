"""The server: a request waits for its answer, and none waits for ever."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest

from posttrain.environments.chat.reply import refusal
from posttrain.environments.chat.request import Asked
from posttrain.environments.chat.server import Line, Pending, running
from tests.environments.bundled.agents import ask, user


def test_an_unknown_address_and_an_unknown_key() -> None:
    server = running()
    assert server is running()
    for address, data in ((f"{server.url}/models", None), (f"{server.url}/embeddings", b"{}")):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, data)
        assert error.value.code == 404
        assert "/v1/chat/completions" in json.load(error.value)["error"]["message"]
        error.value.close()
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(server.url, "wrong", [user("Hi")])
    assert error.value.code == 401
    error.value.close()


def test_a_line_that_is_closed_refuses_what_waits_and_what_comes() -> None:
    line, replies = Line(), list[Any]()
    waiting = threading.Thread(target=lambda: replies.append(line.ask(Asked(()))))
    waiting.start()
    event = line.events.get()
    assert isinstance(event, Pending)
    line.events.put(event)
    line.close("over")
    waiting.join()
    assert replies == [refusal("over")]
    assert line.ask(Asked(())) == refusal("over")
