"""A server of OpenAI's chat protocol on this machine alone, for the agents of all episodes of a process.

The key of a request says whose it is. A request waits until the policy has written its answer.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler
from queue import SimpleQueue
from socketserver import ThreadingTCPServer
from typing import Any, ClassVar

from posttrain.environments.chat.reply import Reply, refusal
from posttrain.environments.chat.request import Asked, RequestError, read

PATH = "/v1/chat/completions"


@dataclass(frozen=True)
class Pending:
    """A request that waits for its answer."""

    asked: Asked
    reply: SimpleQueue[Reply] = field(default_factory=SimpleQueue)


class Line:
    """What one agent does: its requests, in their order, and at last its end. `events` holds what nobody has read."""

    def __init__(self) -> None:
        self.events: SimpleQueue[Any] = SimpleQueue()
        self.closed = ""  # why no request is answered any more
        self._lock = threading.Lock()

    def ask(self, asked: Asked) -> Reply:
        """Wait for the answer to a request."""
        pending = Pending(asked)
        with self._lock:
            if self.closed:
                return refusal(self.closed)
            self.events.put(pending)
        return pending.reply.get()

    def close(self, why: str) -> None:
        """Refuse the requests that wait, and all that come."""
        with self._lock:
            self.closed = why
            while not self.events.empty():
                event = self.events.get()
                if isinstance(event, Pending):
                    event.reply.put(refusal(why))


class ChatServer(ThreadingTCPServer):
    """Hands requests to the lines of their keys."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lines: dict[str, Line] = {}

    @property
    def url(self) -> str:
        """The address that clients call base_url."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@cache
def running() -> ChatServer:
    """Return the server of this process, which ends with it."""
    server = ChatServer()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: ChatServer
    timeout: ClassVar[float] = 60.0  # seconds for what the client sends

    def do_POST(self) -> None:
        """Answer with a turn of the policy, or say why not."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        line = self.server.lines.get((self.headers.get("Authorization") or "").removeprefix("Bearer "))
        if self.path.partition("?")[0] != PATH:
            self._send(refusal(f"only POST {PATH} is served here, not {self.path:.80}", 404))
        elif line is None:
            self._send(refusal("the API key is that of no episode; use the api_key that solve was given", 401))
        else:
            try:
                self._send(line.ask(read(body)))
            except RequestError as error:
                self._send(refusal(str(error)))

    def do_GET(self) -> None:
        """Say what there is."""
        self._send(refusal(f"only POST {PATH} is served here, not GET {self.path:.80}", 404))

    def _send(self, reply: Reply) -> None:
        status, told = reply
        body = json.dumps(told).encode()
        with suppress(OSError):  # a client that no longer waits; what its agent does next says so
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name of the parent's
        """Log nothing."""
