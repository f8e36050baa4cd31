"""A server with OpenEnv's protocol: count up to three, or fail in many ways."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAULTS = ("error", "nonsense", "slow", "gone", "no observation", "reward", "done")


class Counter:
    """Its number is counted up by `message: up`; three is the end, worth 1."""

    def __init__(self) -> None:
        self.at = 0

    def answer(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        if kind == "reset":
            self.at = data["seed"] % 2
        elif set(data) != {"message"}:
            raise KeyError(f"the fields are {sorted(data)}")
        else:
            self.at += data["message"] == "up"
        return {
            "observation": {"text": f"at {self.at}", "metadata": {"a": "b"}},
            "reward": None if kind == "reset" else float(self.at == 3),
            "done": self.at == 3,
        }


def faulty(fault: str) -> Any:
    """What a server says that fails in this way."""
    good = {"observation": {"text": "x"}, "reward": 1.0, "done": True}
    changed = {"no observation": {"observation": None}, "reward": {"reward": "much"}, "done": {"done": "yes"}}
    return {**good, **changed[fault]}


@contextmanager
def http_server(fault: str = "") -> Iterator[str]:
    world = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kind = self.path.strip("/")
            if kind == "reset" or not fault:
                try:
                    self.reply(200, world.answer(kind, data["action"] if kind == "step" else data))
                except KeyError as error:
                    self.reply(422, {"detail": str(error)})
            elif fault == "error":
                self.reply(500, {"detail": "it broke"})
            elif fault == "nonsense":
                self.reply(200, None, b"<html>")
            elif fault == "slow":
                time.sleep(0.5)
            elif fault == "gone":
                self.close_connection = True
            else:
                self.reply(200, faulty(fault))

        def reply(self, status: int, body: Any, raw: bytes = b"") -> None:
            raw = raw or json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with _running(lambda: server.serve_forever(0.01), server.shutdown):
        yield f"http://127.0.0.1:{server.server_address[1]}"
    server.server_close()


@contextmanager
def websocket_server(fault: str = "") -> Iterator[str]:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.server import serve

    def session(connection: Any) -> None:
        world = Counter()
        try:
            for text in connection:
                message = json.loads(text)
                if message["type"] == "step" and fault == "gone":
                    return
                connection.send(said(world, message))
        except ConnectionClosed:
            pass

    def said(world: Counter, message: dict[str, Any]) -> str:
        if message["type"] == "step" and fault:
            time.sleep(0.5 * (fault == "slow"))
            if fault == "nonsense":
                return "<html>"
            if fault == "error":
                return json.dumps({"type": "error", "data": {"message": "it broke", "code": "EXECUTION_ERROR"}})
            return json.dumps({"type": "observation", "data": faulty("done" if fault == "slow" else fault)})
        try:
            return json.dumps({"type": "observation", "data": world.answer(message["type"], message["data"])})
        except KeyError as error:
            return json.dumps({"type": "error", "data": {"message": str(error), "code": "VALIDATION_ERROR"}})

    server = serve(session, "127.0.0.1", 0)
    with _running(server.serve_forever, server.shutdown):
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"


@contextmanager
def _running(work: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end()
        thread.join()
