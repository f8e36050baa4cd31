"""A server on 127.0.0.1 that behaves as a test tells it: a fake judge, or any fault.

    with Server(say("yes"), status(500)) as server: ...

Behaviours are used up in order; the last one stays. Each is a function (handler, body) that writes a whole response.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "fake-judge"
Behaviour = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class Server:
    """Keeps the bodies and headers of all requests, and counts open connections."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.open = self.most = 0
        self.ending = threading.Event()
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def endpoint(self, **settings: Any) -> dict[str, Any]:
        """Return endpoint settings for this server, with short deadlines."""
        return {"url": self.url, "model": MODEL, "pause": 0.01, "read": 5.0, "total": 10.0, **settings}

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                with server._lock:
                    server.open += 1
                    server.most = max(server.most, server.open)

            def finish(self) -> None:
                with server._lock:
                    server.open -= 1
                super().finish()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server._lock:
                    server.bodies.append({"path": self.path, **body})
                    server.headers.append({k.lower(): v for k, v in self.headers.items()})
                    next_one = server.behaviours.pop(0) if len(server.behaviours) > 1 else server.behaviours[0]
                self.server.ending = server.ending
                next_one(self, body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


# ---- behaviours


def answer(body: dict[str, Any], *texts: str, **changes: Any) -> dict[str, Any]:
    """Return a chat completion in OpenAI's protocol."""
    choices = [
        {"index": k, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for k, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return {"id": "x", "model": body["model"], "choices": choices, "usage": usage} | changes


def say(*texts: str, **changes: Any) -> Behaviour:
    return lambda handler, body: send(handler, json.dumps(answer(body, *texts, **changes)).encode())


def think(judge: Callable[[dict[str, Any]], Any]) -> Behaviour:
    """Reply with the JSON that a function of the request returns."""
    return lambda handler, body: send(handler, json.dumps(answer(body, json.dumps(judge(body)))).encode())


def status(code: int, message: str = "no", error: str = "", **headers: str) -> Behaviour:
    content = json.dumps({"error": {"message": message, "code": error}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, _: send(handler, content, code=code, headers=named)


def raw(content: bytes, kind: str = "application/json", **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, _: send(handler, content, kind=kind, headers=named)


def late(seconds: float, then: Behaviour) -> Behaviour:
    def behave(handler: Any, body: dict[str, Any]) -> None:
        handler.server.ending.wait(seconds)
        then(handler, body)

    return behave


def drip(handler: Any, _: dict[str, Any]) -> None:
    """Send a header, then a byte every 50 ms, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    _drip(handler)


def drip_headers(handler: Any, _: dict[str, Any]) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(handler)


def _drip(handler: Any) -> None:
    try:
        while not handler.server.ending.is_set():
            handler.wfile.write(b" ")
            time.sleep(0.05)
    except OSError:
        handler.close_connection = True


def cut(handler: Any, body: dict[str, Any]) -> None:
    """Send half of the body, then reset the connection."""
    content = json.dumps(answer(body, "half")).encode()
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    handler.wfile.write(b"Content-Length: %d\r\n\r\n" % len(content) + content[: len(content) // 2])
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def flood(handler: Any, _: dict[str, Any]) -> None:
    """Send a gigabyte."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n")
    try:
        for _ in range(1024):
            handler.wfile.write(b" " * (1 << 20))
    except OSError:
        handler.close_connection = True


def send(handler: Any, content: bytes, *, code: int = 200, kind: str = "application/json", headers: Any = None) -> None:
    try:
        handler.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)
    except OSError:
        handler.close_connection = True
