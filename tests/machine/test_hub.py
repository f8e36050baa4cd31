"""A hub that answers, one that refuses, one that is silent."""

import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from huggingface_hub import constants

from posttrain.machine import hub


class Hub(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200 if self.path in ("/", "/api/models/owner/known") else 404)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def local(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return lambda port: monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")


@contextmanager
def serving():
    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def test_a_hub_that_answers(local, monkeypatch):
    with serving() as port:
        local(port)
        assert hub.reachable()
        assert hub.exists("owner/known")
        assert not hub.exists("owner/unknown")
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert not hub.reachable()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert not hub.reachable()  # nobody listens any more


@pytest.mark.fault("M7")
def test_a_hub_that_is_silent_is_given_up_in_time(local):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        local(silent.getsockname()[1])
        start = time.monotonic()
        assert not hub.reachable(seconds=0.2)
        assert time.monotonic() - start < 2
