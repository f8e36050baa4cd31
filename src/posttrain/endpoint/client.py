"""Sends many requests at once, each with deadlines, several attempts and a place in the cache."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.endpoint.api import CHAT, Api
from posttrain.endpoint.budget import Account
from posttrain.endpoint.cache import Cache, key_of
from posttrain.endpoint.endpoint import Endpoint
from posttrain.endpoint.failure import RefusedError, ReplyError, TransientError
from posttrain.endpoint.reply import Choice, Reply, decode
from posttrain.endpoint.retry import pause, retry_after
from posttrain.endpoint.secret import Secret
from posttrain.errors import MissingExtraError

if TYPE_CHECKING:
    import ssl

    import httpx2

Body = Mapping[str, Any]  # model, messages, ... as the server reads them
_LARGEST = 1 << 23  # bytes of a reply
_FATAL = {401, 402, 403, 404}  # the next request would get the same status
_SCHEMA_REFUSED = {400, 422}  # some servers support no JSON schemas


class Client:
    """Asks one endpoint; replies and spending are kept in `folder`. Results do not depend on the order of replies.

    No redirect is followed and no compressed body is read. The key appears in no message.
    """

    def __init__(self, endpoint: Endpoint, folder: Path | None = None, api: Api = CHAT) -> None:
        self.endpoint = endpoint
        self.account = Account(endpoint, folder)
        self.cache = Cache(folder / "replies") if folder else None
        self.sent = 0  # requests, every attempt included
        self._key = Secret(endpoint.key_variable)
        self._api = api
        self._url = api.address(endpoint.url)
        self._schemas = True  # False once the server refused one and took the same request without
        self._refusal: RefusedError | None = None  # ends all further requests

    def ask(self, bodies: Sequence[Body]) -> list[Reply | ReplyError]:
        """Return a reply or an error for each request. Equal requests are sent once.

        Raises RefusedError where no request can succeed, after those under way have ended and their replies are kept.
        """
        full = [{"model": self.endpoint.model, **self.endpoint.request, **body} for body in bodies]
        keys = [key_of(self._url, body) for body in full]
        replies = _run(self._ask_all(dict(zip(keys, full, strict=True))))
        if self._refusal is not None:
            raise self._refusal
        return [replies[key] for key in keys]

    async def _ask_all(self, bodies: Mapping[str, Body]) -> dict[str, Reply | ReplyError]:
        replies: dict[str, Reply | ReplyError] = {}
        replies.update((key, reply) for key in bodies if (reply := self._cached(key)) is not None)
        slots = asyncio.Semaphore(self.endpoint.concurrency)
        missing = [key for key in bodies if key not in replies]
        if missing:
            async with _connections(self.endpoint, self._key) as http:
                new = await asyncio.gather(*(self._ask_one(http, slots, key, bodies[key]) for key in missing))
            replies.update(zip(missing, new, strict=True))
        return replies

    async def _ask_one(
        self, http: httpx2.AsyncClient, slots: asyncio.Semaphore, key: str, body: Body
    ) -> Reply | ReplyError:
        async with slots:
            errors: list[str] = []  # of the attempts so far
            try:
                async with asyncio.timeout(self.endpoint.total):
                    return self._keep(key, await self._attempts(http, key, body, errors))
            except TimeoutError:
                last = self._key.redact(f"; the last error: {errors[-1]}") if errors else ""
                return ReplyError(f"{self._where}: no reply within {self.endpoint.total:g} s in total{last}")
            except RefusedError as refusal:
                self._refusal = self._refusal or RefusedError(f"{self._where}: {self._key.redact(str(refusal))}")
                return ReplyError("not sent")
            except ReplyError as failure:
                return ReplyError(f"{self._where}: {self._key.redact(str(failure))}")

    async def _attempts(self, http: httpx2.AsyncClient, key: str, body: Body, errors: list[str]) -> Reply:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.endpoint.total
        for attempt in range(1, self.endpoint.attempts + 1):
            try:
                return await self._send_with_schema(http, body)
            except TransientError as error:
                errors.append(str(error))
                wait = pause(self.endpoint, key, attempt, error.after)
                if attempt == self.endpoint.attempts or loop.time() + wait >= end:
                    raise ReplyError(f"given up after {attempt} attempts; the last error: {error}") from None
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def _send_with_schema(self, http: httpx2.AsyncClient, body: Body) -> Reply:
        """Send the request with its JSON schema, or without where the server does not support schemas."""
        if body.get("response_format", {}).get("type") != "json_schema":
            return await self._send(http, body)
        plain = {**body, "response_format": {"type": "json_object"}}
        if not self._schemas:
            return await self._send(http, plain)
        try:
            return await self._send(http, body)
        except _SchemaRefusedError:
            reply = await self._send(http, plain)
            self._schemas = False
            return reply

    async def _send(self, http: httpx2.AsyncClient, body: Body) -> Reply:
        """Send one HTTP request."""
        import httpx2

        if self._refusal is not None:
            raise self._refusal
        self.account.count_request()
        self.sent += 1
        try:
            async with http.stream("POST", self._url, content=json.dumps(body).encode()) as response:
                content = await _content(response)
        except httpx2.TransportError as error:
            raise TransientError(f"{type(error).__name__} {error}".strip()) from None
        if response.status_code != 200:
            raise _status_error(response, content)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise TransientError(f"the reply is {kind or 'of no type'!r:.80}, not application/json")
        reply = self._api.read(content, body, self.endpoint.served_as)
        self.account.count_tokens(reply.usage)
        return reply

    # ---- the cache

    def _cached(self, key: str) -> Reply | None:
        kept = self.cache.get(key) if self.cache else None
        return None if kept is None else _reply(kept)

    def _keep(self, key: str, reply: Reply) -> Reply:
        return _reply(self.cache.put(key, asdict(reply))) if self.cache else reply

    @property
    def _where(self) -> str:
        return f"{self.endpoint.model} at {self.endpoint.url}"


class _SchemaRefusedError(ReplyError):
    """Status 400 or 422, which may be due to the JSON schema."""


def _connections(endpoint: Endpoint, key: Secret) -> httpx2.AsyncClient:
    try:
        import httpx2
    except ImportError:
        raise MissingExtraError("a remote endpoint", "judge") from None
    return httpx2.AsyncClient(
        headers={**key.header(), "Accept-Encoding": "identity", "Content-Type": "application/json"},
        timeout=httpx2.Timeout(endpoint.read, connect=endpoint.connect, pool=None),
        limits=httpx2.Limits(max_connections=endpoint.concurrency),
        follow_redirects=False,
        verify=_certificates(),
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Load the certificates once: it takes longer than most requests."""
    import httpx2

    return httpx2.create_ssl_context()


async def _content(response: httpx2.Response) -> bytes:
    """Read the body as it came over the wire. Raises ReplyError if it is compressed or too large."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ReplyError("the reply is compressed, which was not asked for")
    parts, size = [], 0
    async for part in response.aiter_raw():
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise ReplyError(f"the reply is larger than {_LARGEST >> 20} MiB")
    return b"".join(parts)


def _status_error(response: httpx2.Response, content: bytes) -> Exception:
    """Return the error for a status other than 200: fatal, transient, or of this request alone."""
    status, error = response.status_code, _error(content)
    message = f"status {status}" + (f" ({error.get('message')!s:.200})" if error else "")
    if status in _FATAL or error.get("code") == "insufficient_quota":
        return RefusedError(f"{message}; check endpoint.url, endpoint.model and the key")
    if status in (408, 425, 429) or status >= 500:
        return TransientError(message, retry_after(response.headers))
    if 300 <= status < 400:
        return ReplyError(
            f"{message}: a redirect to {response.headers.get('location', 'nowhere')!r:.200}, which is not followed"
        )
    return _SchemaRefusedError(message) if status in _SCHEMA_REFUSED else ReplyError(message)


def _error(content: bytes) -> dict[str, Any]:
    """Return the `error` object of a reply, or {} if there is none."""
    try:
        body = decode(content)
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _reply(kept: Mapping[str, Any]) -> Reply:
    usage = kept["usage"]
    return Reply(tuple(Choice(**c) for c in kept["choices"]), None if usage is None else (usage[0], usage[1]))


def _run(work: Coroutine[Any, Any, dict[str, Reply | ReplyError]]) -> dict[str, Reply | ReplyError]:
    """Run a coroutine, in a thread of its own where a loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
