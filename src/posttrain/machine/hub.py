"""Whether the Hugging Face hub answers: one short try, in place of the minute of retries of its client."""

from __future__ import annotations

import threading

SECONDS = 3.0  # until a hub that does not answer counts as unreachable


def endpoint() -> str:
    """Return the address of the hub: $HF_ENDPOINT or the public one."""
    from huggingface_hub import constants

    address: str = constants.ENDPOINT
    return address


def reachable(seconds: float = SECONDS) -> bool:
    """Whether the hub answers; never with $HF_HUB_OFFLINE set."""
    return _status("", seconds) is not None


def exists(repository: str, seconds: float = SECONDS) -> bool:
    """Whether the hub knows a model repository, or asks who wants to know."""
    return _status(f"/api/models/{repository}", seconds) in (200, 401, 403, 307, 308)


def _status(path: str, seconds: float) -> int | None:
    """Return the status of a HEAD request, or None without an answer.

    It runs in a thread: looking up a name may take longer than any timeout of the client.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return None
    answers: list[int] = []
    thread = threading.Thread(target=_ask, args=(endpoint() + path, seconds, answers), daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else None


def _ask(address: str, seconds: float, answers: list[int]) -> None:
    from huggingface_hub import get_session, get_token

    headers = {"authorization": f"Bearer {token}"} if (token := get_token()) else {}
    try:
        answers.append(get_session().head(address, headers=headers, timeout=seconds).status_code)
    except Exception:  # noqa: BLE001 -- every client of its own kind; without an answer there is none
        return
