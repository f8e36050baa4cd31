"""The customer that a model plays: what it reads, and what happens when it does not answer."""

from __future__ import annotations

import pytest

from posttrain.endpoint.failure import RefusedError, ReplyError
from posttrain.environments.bundled.simulated_user import SimulatedUser
from posttrain.environments.environment import Action
from tests.endpoint.server import Server, say, status
from tests.environments.playing import prompt_of
from tests.harness.settings import problems

TASK = {
    "prompt": ({"role": "system", "content": "Sell."}, {"role": "user", "content": "Hello."}),
    "details": {"size": "large"},
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")


def test_the_model_reads_the_conversation_from_the_other_side() -> None:
    with Server(say("A large one.")) as server:
        world = SimulatedUser(endpoint=server.endpoint())
        assert world.reset(prompt_of(TASK), 1) == TASK["prompt"]
        outcome = world.step(Action("Which size?"))
        assert (outcome.messages[0]["content"], outcome.reward, outcome.done) == ("A large one.", 0.0, False)
        world.step(Action("Anything else?"))
        assert world.step(Action("ORDER: size=large")).reward == 1.0
    first, second = (body["messages"] for body in server.bodies)
    assert "- size: large" in first[0]["content"]
    assert [m["role"] for m in second] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [m["content"] for m in second[2:]] == ["Hello.", "Which size?", "A large one.", "Anything else?"]
    assert server.bodies[0]["seed"] != server.bodies[1]["seed"]


@pytest.mark.parametrize(("failure", "error"), [(status(401), RefusedError), (status(500), ReplyError)])
def test_no_answer_is_no_score(failure, error: type[Exception]) -> None:
    with Server(failure) as server:
        world = SimulatedUser(endpoint=server.endpoint(attempts=1))
        world.reset(prompt_of(TASK), 1)
        with pytest.raises(error):
            world.step(Action("Which size?"))


def test_its_settings() -> None:
    assert not problems(SimulatedUser)
    assert not SimulatedUser.replays
