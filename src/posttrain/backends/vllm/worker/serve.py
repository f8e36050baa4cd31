"""The loop of an engine's process: it obeys messages, and draws one token for each running answer in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from posttrain.backends.vllm.frames import Inbox, Message

Drawn = tuple[int, int, float]  # number of the request, token, log-prob


class Engine(Protocol):
    """Draws answers, several at once, with weights of a version."""

    @property
    def version(self) -> int:
        """The version of the weights that the next tokens are drawn with."""

    @property
    def busy(self) -> bool:
        """Whether an answer is not finished."""

    def add(self, request: Message) -> None:
        """Begin an answer: `number`, `tokens` to read, `seed`, `total` and `before` (tokens of the whole answer and of
        its beginning), `temperature`, `top_k`, `top_p`, and the tokens `stop` that end it."""

    def cancel(self, numbers: Sequence[int]) -> None:
        """Forget answers that nobody waits for; numbers of finished ones are ignored."""

    def step(self) -> list[Drawn]:
        """Draw the next token of answers that run."""

    def load(self, folder: Path, version: int) -> None:
        """Draw with the weights of a folder from now on, all of them."""

    def forget(self) -> None:
        """Drop what was cached of prompts."""


def serve(start: Callable[[Message], Engine], inbox: Inbox, reply: Callable[[Message], None]) -> None:
    """Answer until the trainer closes its end. What goes wrong is told and raised: there is no next message then."""
    try:
        first = inbox.read(None)
        assert first is not None
        engine = start(first)
        reply({"loaded": engine.version})
        while True:
            if (message := inbox.read(0 if engine.busy else None)) is not None:
                _obey(engine, message, reply)
            elif engine.busy:
                reply({"drawn": engine.step(), "version": engine.version})
    except EOFError:
        return
    except Exception as error:
        reply({"error": f"{type(error).__name__}: {error}"})
        raise


def _obey(engine: Engine, message: Message, reply: Callable[[Message], None]) -> None:
    match message["verb"]:
        case "add":
            for request in message["requests"]:
                engine.add(request)
        case "cancel":
            engine.cancel(message["numbers"])
        case "load":
            engine.load(Path(message["folder"]), message["version"])
            reply({"loaded": engine.version})
        case "forget":
            engine.forget()
        case verb:
            raise ValueError(f"no verb {verb!r}")
