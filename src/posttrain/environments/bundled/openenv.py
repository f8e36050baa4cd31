"""Environments behind a server that speaks OpenEnv's protocol.

    environment: {path: openenv, url: "http://localhost:8000", field: code}

What the policy writes becomes an action of the server: the whole text in one field, the number on its last line, or a
JSON object with all fields. Reward and end are the server's. A server that does not answer in time, or answers with an
error, ends the episode without a score; an action that does not fit its schema is an observation.

The column `start` is sent as the seed, so that all answers to one prompt begin in the same place, and the column
`reset` as further settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.environments.sessions import SESSIONS, InvalidActionError, Session
from posttrain.environments.text_game import observed, plain
from posttrain.errors import ConfigError
from posttrain.records import Message, Prompt
from posttrain.seeds import seed_for


class Openenv(Environment):
    """Play an environment behind a server.

    Settings:
        url: address of the server, a text that begins with http:// or https://.
        field: name of the action's field that gets what the policy writes; any name in the server's schema.
        form: what is sent, one of the options text, number (on the last line) and json (an object, the whole action).
        told: name of the observation's field that the policy reads; null takes its only text, else all as JSON.
        session: one of the options websocket and http, for servers that keep one environment for all.
        wait: seconds for an answer of the server; above 0, and less than `timeout` of the environment.
    """

    replays: ClassVar[bool] = False

    def __init__(
        self,
        *,
        url: str,
        field: str = "message",
        form: Literal["text", "number", "json"] = "text",
        told: str | None = None,
        session: Literal["websocket", "http"] = "websocket",
        wait: float = 25.0,
    ) -> None:
        if session not in SESSIONS or form not in ("text", "number", "json"):
            raise ConfigError(f"session={session!r}, form={form!r}: websocket or http, and text, number or json")
        self.open = partial(SESSIONS[session], url, wait)
        self.session: Session | None = None
        self.field = field
        self.form = form
        self.told = told

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Draw starts. What is to be done stands in the server's first observation."""
        return [{"prompt": "Play.", "start": seed_for("openenv", seed, n) % 2**31} for n in range(count)]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        start = int(prompt.columns.get("start", seed % 2**31))
        self.session = self.open()
        answer = self.session.reset(seed=start, **(prompt.columns.get("reset") or {}))
        *before, last = super().reset(prompt, seed)
        return (*before, {**last, "content": f"{last['content']}\n\n{self._words(answer['observation'])}"})

    def step(self, action: Action) -> Outcome:
        assert self.session is not None, "reset comes first"
        try:
            answer = self.session.step(self._payload(action.text.rpartition("</think>")[2].strip()))
        except (InvalidActionError, ValueError) as error:
            return observed(f"That is no valid action: {error}")
        reward = answer.get("reward")
        text = self._words(answer["observation"])
        return observed(text, None if reward is None else float(reward), done=answer.get("done", False))

    def close(self) -> None:
        if self.session is not None:
            self.session.close()

    def _payload(self, text: str) -> Mapping[str, Any]:
        """Make an action of a text. Raises ValueError for one that is none."""
        if self.form == "text":
            return {self.field: text}
        if self.form == "number":
            return {self.field: int(plain(text))}
        action = json.loads(text)
        if not isinstance(action, dict):
            raise ValueError("it must be a JSON object")
        return action

    def _words(self, observation: Mapping[str, Any]) -> str:
        shown = {name: value for name, value in observation.items() if name != "metadata"}
        texts = [value for value in shown.values() if isinstance(value, str)]
        if self.told is not None:
            return str(shown.get(self.told, ""))
        return texts[0] if len(texts) == 1 else json.dumps(shown, ensure_ascii=False)
