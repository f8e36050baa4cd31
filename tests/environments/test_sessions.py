"""Sessions with servers that work, and with servers that fail."""

from __future__ import annotations

import sys

import pytest

from posttrain.environments.sessions import SESSIONS, HttpSession, InvalidActionError, SessionError, WebSocketSession
from posttrain.errors import ConfigError, MissingExtraError
from tests.environments.openenv_server import FAULTS, http_server, websocket_server

pytest.importorskip("websockets")
KINDS = {"http": http_server, "websocket": websocket_server}


@pytest.mark.parametrize("kind", KINDS)
def test_an_episode(kind: str) -> None:
    with KINDS[kind]() as url:
        session = SESSIONS[kind](url, 20.0)
        assert session.reset(seed=3)["observation"]["text"] == "at 1"
        with pytest.raises(InvalidActionError, match="shout"):
            session.step({"shout": "up"})
        assert session.step({"message": "up"}) == {
            "observation": {"text": "at 2", "metadata": {"a": "b"}},
            "reward": 0.0,
            "done": False,
        }
        assert session.step({"message": "up"})["reward"] == 1.0
        session.close()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_fails_is_an_error(kind: str, fault: str) -> None:
    with KINDS[kind](fault) as url:
        session = SESSIONS[kind](url, 20.0)
        session.reset(seed=3)
        session.timeout = 0.2 if fault == "slow" else 20.0
        with pytest.raises(SessionError, match=url):
            session.step({"message": "up"})
        session.close()


def test_each_connection_has_an_environment_of_its_own() -> None:
    with websocket_server() as url:
        one, other = WebSocketSession(url, 20.0), WebSocketSession(url, 20.0)
        one.reset(seed=0)
        other.reset(seed=0)
        one.step({"message": "up"})
        assert other.step({"message": "stay"})["observation"]["text"] == "at 0"
        one.close()
        other.close()


@pytest.mark.parametrize("kind", [HttpSession, WebSocketSession])
def test_where_nobody_listens(kind: type) -> None:
    with pytest.raises(SessionError):
        kind("http://127.0.0.1:9", 0.5).reset(seed=1)
    for url in ("file:///etc/passwd", "localhost:80", ""):
        with pytest.raises(ConfigError, match="must begin with http"):
            kind(url, 0.5)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "websockets"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "websockets", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[openenv\]"):
        WebSocketSession("http://127.0.0.1:9", 0.5)
