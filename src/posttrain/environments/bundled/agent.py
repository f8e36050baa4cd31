"""An agent that knows OpenAI's chat protocol alone: a function of yours, whose every request is a turn of the policy.

    environment: {path: agent, agent: "./mine.py:solve", max_turns: 6}

    def solve(task, base_url, api_key):
        client = openai.OpenAI(base_url=base_url, api_key=api_key)
        ...
        return 1.0  # the reward, or None where the rewards of the run file judge

`task` holds the columns of the row and its `prompt`. The function runs in a thread of the environment's process, and
an episode is over when it returns. Each request repeats the conversation with the answer as it was given, and goes on
from there: what the policy wrote is never encoded again.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from posttrain.environments.chat.reply import completion, refusal, said
from posttrain.environments.chat.request import Asked, RequestError
from posttrain.environments.chat.server import Line, Pending, running
from posttrain.environments.environment import Action, Environment, Outcome, Tool
from posttrain.environments.lookup import function
from posttrain.records import Message, Prompt
from posttrain.rewards.verdicts import number

_log = logging.getLogger(__name__)
OVER = "the episode is over: it has reached its most turns or tokens, or it failed; let this error end the function"


class Agent(Environment):
    """Train the model behind an agent.

    Settings:
        agent: file and function of the agent, such as ./mine.py:solve; `solve` if no name is given.
    """

    replays: ClassVar[bool] = False  # what the agent does besides its requests is its own affair

    def __init__(self, *, agent: str) -> None:
        self.solve = function(agent, "agent", "solve")
        self.key = secrets.token_urlsafe(24)
        self.line = Line()
        self.thread: threading.Thread | None = None
        self.pending: Pending | None = None
        self.conversation: tuple[Message, ...] = ()  # as the agent knows it
        self.turns = 0
        self.unused: set[str] = set()

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:  # noqa: ARG002 -- the agent draws for itself
        """Start the agent, and begin with its first request."""
        asks = prompt.prompt if isinstance(prompt.prompt, str) else [dict(m) for m in prompt.prompt]
        running().lines[self.key] = self.line
        self.thread = threading.Thread(target=self._run, args=({**prompt.columns, "prompt": asks},), daemon=True)
        self.thread.start()
        event = self.line.events.get()
        if not isinstance(event, Pending):
            raise _failure(event) or RuntimeError("the agent returned before its first request, so nothing was sampled")
        self.pending, self.conversation = event, event.asked.messages
        if self.conversation[-1]["role"] == "assistant":
            raise self._refused("the first request ends with words of the assistant; end it with another role")
        return self.conversation

    def tools(self) -> Sequence[Tool]:
        """Describe the tools of the first request; the agent executes them itself."""
        return self.pending.asked.tools if self.pending else ()

    def step(self, action: Action) -> Outcome:
        """Answer the request that waits, and go on with the next one or with what the function returns."""
        assert self.pending is not None, "reset comes first"
        if not self.line.events.empty():
            raise self._early(self.line.events.get())
        before, self.turns = self.pending.asked, self.turns + 1
        self.pending.reply.put(completion(action, before.model, f"chatcmpl-{self.turns}"))
        info = {**self._noted(before), **({"unread": len(action.unread)} if action.unread else {})}
        event = self.line.events.get()
        if not isinstance(event, Pending):
            if failure := _failure(event):
                raise failure
            return Outcome(reward=_reward(event), done=True, info=info)
        self.pending, self.conversation = event, (*self.conversation, said(action))
        follows = self._follows(event.asked, before)
        self.conversation = event.asked.messages
        return Outcome(follows, info=info)

    def close(self) -> None:
        """Refuse what the agent asks, and wait for its end; the time limit ends one that does not end."""
        running().lines.pop(self.key, None)
        self.line.close(OVER)
        if self.pending is not None:
            self.pending.reply.put(refusal(OVER))
        if self.thread is not None:
            self.thread.join()

    def _run(self, task: Mapping[str, Any]) -> None:
        try:
            returned = self.solve(task, running().url, self.key)
            self.line.events.put((asyncio.run(returned) if inspect.iscoroutine(returned) else returned,))
        except BaseException as error:  # noqa: BLE001 -- a user's agent may fail in any way; `step` raises it
            self.line.events.put(error)

    def _follows(self, asked: Asked, before: Asked) -> tuple[Message, ...]:
        """Return the messages behind the conversation so far. Raises RequestError for a request that is none of it."""
        known = len(self.conversation)
        same = next((i for i, m in enumerate(self.conversation) if asked.messages[i : i + 1] != (m,)), known)
        if same < known:
            there = f"{asked.messages[same]!r:.160}" if same < len(asked.messages) else "nothing"
            raise self._refused(
                f"a request must begin with the conversation so far, but its message {same + 1} is {there} instead of "
                f"{self.conversation[same]!r:.160}; append the answer's message as it came and then yours, and keep to "
                "one conversation in each call of the function"
            )
        follows = asked.messages[known:]
        if not follows or any(m["role"] == "assistant" for m in follows):
            raise self._refused(
                "a request must say something new behind the answer, and no words of the assistant that the policy "
                "did not write; append messages of the roles user or tool"
            )
        if asked.tools != before.tools:
            raise self._refused("the tools of a request are others than before; send those of the first request")
        names = {call["id"]: call["function"]["name"] for call in self.conversation[-1].get("tool_calls", ())}
        named = [names.get(m.get("tool_call_id")) for m in follows]  # some templates name the tool of a result
        return tuple({"name": name, **m} if name else m for name, m in zip(named, follows, strict=True))

    def _refused(self, why: str) -> RequestError:
        """Refuse the request that waits. The episode fails, too, whatever the agent makes of it."""
        assert self.pending is not None
        self.pending.reply.put(refusal(why))
        return RequestError(f"the agent's request cannot be answered: {why}")

    def _early(self, event: Any) -> BaseException:
        """Return the error of an agent that did something before it was answered."""
        if isinstance(event, Pending):
            event.reply.put(refusal(OVER))
        return _failure(event) or RequestError(
            "the agent did not wait for the answer to its request before it sent another or returned; send one request "
            "at a time, and give the client a timeout that is longer than a training step's sampling"
        )

    def _noted(self, asked: Asked) -> Mapping[str, Any]:
        """Say once what a request asks of sampling that the run file decides."""
        new = [name for name in asked.unused if name not in self.unused]
        self.unused.update(new)
        if not new:
            return {}
        _notice(", ".join(new))
        return {"unused": ", ".join(new)}


@cache
def _notice(unused: str) -> None:
    """Say it once in each process; it is in the log of the run."""
    _log.warning("the agent's requests ask for %s; the section `sampling` of the run file decides instead", unused)


def _failure(event: Any) -> BaseException | None:
    return event if isinstance(event, BaseException) else None


def _reward(event: tuple[Any]) -> float | None:
    """Return what the function returned. Raises ValueError for anything but a number or None."""
    (returned,) = event
    try:
        return None if returned is None else number(returned)
    except ValueError as error:
        raise ValueError(f"the agent returned {returned!r:.80}; return a number, or None ({error})") from None
