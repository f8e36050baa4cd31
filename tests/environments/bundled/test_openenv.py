"""An environment behind a server, played."""

from __future__ import annotations

import pytest

from posttrain.environments.bundled.openenv import Openenv
from posttrain.environments.environment import Action
from posttrain.environments.sessions import SessionError
from posttrain.errors import ConfigError
from tests.environments.openenv_server import http_server, websocket_server
from tests.environments.playing import play, prompt_of
from tests.harness.settings import problems

pytest.importorskip("websockets")
TASK = {"prompt": "Count.", "start": 3}


def test_an_episode() -> None:
    with websocket_server() as url:
        moves = iter(["stay", "<think>up</think>up", "up"])
        played = play(Openenv(url=url), TASK, lambda _: next(moves))
    assert played.begin[0]["content"] == "Count.\n\nat 1"
    assert [(o.messages[0]["content"], o.reward, o.done) for o in played.outcomes] == [
        ("at 1", 0.0, False),
        ("at 2", 0.0, False),
        ("at 3", 1.0, True),
    ]


def test_an_action_that_does_not_fit_is_an_observation() -> None:
    with http_server() as url:
        world = Openenv(url=url, session="http", field="shout")
        world.reset(prompt_of(TASK), 0)
        outcome = world.step(Action("up"))
        assert outcome.messages[0]["content"].startswith("That is no valid action: ")
        assert (outcome.reward, outcome.done) == (0.0, False)


@pytest.mark.parametrize(
    ("form", "text", "payload"),
    [
        ("text", "up\nand up", {"message": "up\nand up"}),
        ("number", "I take\nAction: 12.", {"message": 12}),
        ("number", "twelve", None),
        ("json", '{"message": "up", "n": 1}', {"message": "up", "n": 1}),
        ("json", "[1]", None),
        ("json", "up", None),
    ],
)
def test_what_a_text_becomes(form: str, text: str, payload: dict | None) -> None:
    world = Openenv(url="http://127.0.0.1:9", form=form)
    if payload is None:
        with pytest.raises(ValueError):
            world._payload(text)
    else:
        assert world._payload(text) == payload


def test_what_the_policy_reads() -> None:
    world = Openenv(url="http://127.0.0.1:9")
    assert world._words({"text": "a", "n": 1, "metadata": {"b": "c"}}) == "a"
    assert world._words({"text": "a", "more": "b"}) == '{"text": "a", "more": "b"}'
    assert Openenv(url="http://127.0.0.1:9", told="more")._words({"text": "a", "more": "b"}) == "b"


def test_a_server_that_fails_is_no_score() -> None:
    with websocket_server("error") as url:
        world = Openenv(url=url)
        world.reset(prompt_of(TASK), 0)
        with pytest.raises(SessionError, match="it broke"):
            world.step(Action("up"))
        world.close()


def test_its_settings() -> None:
    assert not problems(Openenv)
    assert Openenv.tasks(2, 1) != Openenv.tasks(2, 2)
    with pytest.raises(ConfigError, match="websocket or http"):
        Openenv(url="http://127.0.0.1:9", session="pigeon")
