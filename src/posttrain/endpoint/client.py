"""Many requests at once, each with its deadlines, its attempts and its place in the cache."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.endpoint.budget import Account
from posttrain.endpoint.cache import Cache, key_of
from posttrain.endpoint.endpoint import Endpoint
from posttrain.endpoint.failure import RefusedError, ReplyError, TransientError
from posttrain.endpoint.reply import Choice, Reply, decode, read
from posttrain.endpoint.retry import pause, retry_after
from posttrain.endpoint.secret import Secret
from posttrain.errors import MissingExtraError

if TYPE_CHECKING:
    import ssl

    import httpx2

Body = Mapping[str, Any]  # model, messages, ... as /chat/completions reads them
_LARGEST = 1 << 23  # bytes of a reply
_USELESS = {401, 402, 403, 404}  # the next request would get the same
_UNFORMATTED = {400, 422}  # some servers know no JSON schemas


class Client:
    """Asks one endpoint; `folder` keeps replies and what was spent. The order of replies changes nothing.

    No redirect is followed and no compressed body is read. The key is in no message.
    """

    def __init__(self, endpoint: Endpoint, folder: Path | None = None) -> None:
        self.endpoint = endpoint
        self.account = Account(endpoint, folder)
        self.cache = Cache(folder / "replies") if folder else None
        self.sent = 0  # requests, every attempt included
        self._key = Secret(endpoint.key_variable)
        self._url = f"{endpoint.url}/chat/completions"
        self._schemas = True  # until the server refused one and took the same request without
        self._over: RefusedError | None = None

    def ask(self, bodies: Sequence[Body]) -> list[Reply | ReplyError]:
        """A reply, or what went wrong instead, for each request. Equal requests are asked once.

        Raises RefusedError where no request can succeed; by then all that were under way have ended and are kept.
        """
        full = [{"model": self.endpoint.model, **self.endpoint.request, **body} for body in bodies]
        keys = [key_of(self._url, body) for body in full]
        found = _run(self._all(dict(zip(keys, full, strict=True))))
        if self._over is not None:
            raise self._over
        return [found[key] for key in keys]

    async def _all(self, bodies: Mapping[str, Body]) -> dict[str, Reply | ReplyError]:
        found: dict[str, Reply | ReplyError] = {}
        found.update((key, reply) for key in bodies if (reply := self._cached(key)) is not None)
        places = asyncio.Semaphore(self.endpoint.concurrency)
        left = [key for key in bodies if key not in found]
        if left:
            async with _connections(self.endpoint, self._key) as http:
                replies = await asyncio.gather(*(self._one(http, places, key, bodies[key]) for key in left))
            found.update(zip(left, replies, strict=True))
        return found

    async def _one(
        self, http: httpx2.AsyncClient, places: asyncio.Semaphore, key: str, body: Body
    ) -> Reply | ReplyError:
        async with places:
            last: list[str] = []  # what the attempts met
            try:
                async with asyncio.timeout(self.endpoint.total):
                    return self._keep(key, await self._attempts(http, key, body, last))
            except TimeoutError:
                said = self._key.redact(f"; at last: {last[-1]}") if last else ""
                return ReplyError(f"{self._where}: no reply within {self.endpoint.total:g} s in total{said}")
            except RefusedError as refusal:
                self._over = self._over or RefusedError(f"{self._where}: {self._key.redact(str(refusal))}")
                return ReplyError("not asked")
            except ReplyError as failure:
                return ReplyError(f"{self._where}: {self._key.redact(str(failure))}")

    async def _attempts(self, http: httpx2.AsyncClient, key: str, body: Body, last: list[str]) -> Reply:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.endpoint.total
        for attempt in range(1, self.endpoint.attempts + 1):
            try:
                return await self._formatted(http, body)
            except TransientError as error:
                last.append(str(error))
                wait = pause(self.endpoint, key, attempt, error.after)
                if attempt == self.endpoint.attempts or loop.time() + wait >= end:
                    raise ReplyError(f"given up after {attempt} attempts; at last: {error}") from None
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def _formatted(self, http: httpx2.AsyncClient, body: Body) -> Reply:
        """With the JSON schema that was asked for; once without, where the server does not take it."""
        if body.get("response_format", {}).get("type") != "json_schema":
            return await self._send(http, body)
        plain = {**body, "response_format": {"type": "json_object"}}
        if not self._schemas:
            return await self._send(http, plain)
        try:
            return await self._send(http, body)
        except _UnformattedError:
            reply = await self._send(http, plain)
            self._schemas = False
            return reply

    async def _send(self, http: httpx2.AsyncClient, body: Body) -> Reply:
        """One HTTP request."""
        import httpx2

        if self._over is not None:
            raise self._over
        self.account.send()
        self.sent += 1
        try:
            async with http.stream("POST", self._url, content=json.dumps(body).encode()) as response:
                content = await _content(response)
        except httpx2.TransportError as error:
            raise TransientError(f"{type(error).__name__} {error}".strip()) from None
        if response.status_code != 200:
            raise _refused(response, content)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise TransientError(f"the reply is {kind or 'of no type'!r:.80}, not application/json")
        reply = read(content, body, self.endpoint.served_as)
        self.account.usage(reply.usage)
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


class _UnformattedError(ReplyError):
    """Status 400 or 422."""


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
    """Reading them takes longer than most requests."""
    import httpx2

    return httpx2.create_ssl_context()


async def _content(response: httpx2.Response) -> bytes:
    """The body as it came over the wire, up to a size."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ReplyError("the reply is compressed, which was not asked for")
    parts, size = [], 0
    async for part in response.aiter_raw():
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise ReplyError(f"the reply is larger than {_LARGEST >> 20} MiB")
    return b"".join(parts)


def _refused(response: httpx2.Response, content: bytes) -> Exception:
    """What a status other than 200 means for this request and the next."""
    status, error = response.status_code, _error(content)
    said = f"status {status}" + (f" ({error.get('message')!s:.200})" if error else "")
    if status in _USELESS or error.get("code") == "insufficient_quota":
        return RefusedError(f"{said}; check endpoint.url, endpoint.model and the key")
    if status in (408, 425, 429) or status >= 500:
        return TransientError(said, retry_after(response.headers))
    if 300 <= status < 400:
        return ReplyError(
            f"{said}: a redirect to {response.headers.get('location', 'nowhere')!r:.200}, which is not followed"
        )
    return _UnformattedError(said) if status in _UNFORMATTED else ReplyError(said)


def _error(content: bytes) -> dict[str, Any]:
    """The `error` of a reply, {} where there is none to be read."""
    try:
        body = decode(content)
    except ValueError:
        return {}
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _reply(kept: Mapping[str, Any]) -> Reply:
    usage = kept["usage"]
    return Reply(tuple(Choice(**c) for c in kept["choices"]), None if usage is None else (usage[0], usage[1]))


def _run(work: Coroutine[Any, Any, dict[str, Reply | ReplyError]]) -> dict[str, Reply | ReplyError]:
    """Also where a loop runs already, as in a notebook: then in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
