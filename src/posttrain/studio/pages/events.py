"""Server-sent events of a run: a line whenever its metrics have changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from posttrain.runs.reader import RunReader
from posttrain.studio.series import sketch
from posttrain.studio.studio import Studio

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PAUSE = 1.0  # seconds between two looks at the file
SILENCE = 15  # looks without news after which a comment keeps the connection alive


def events(studio: Studio, request: Request) -> Response:
    """Stream the news of a run until the browser leaves."""
    from starlette.responses import StreamingResponse

    folder = studio.folders.run(request.path_params["run"]).folder
    return StreamingResponse(news(folder, request.is_disconnected), media_type="text/event-stream")


async def news(folder: Path, gone: Callable[[], Awaitable[bool]], pause: float = PAUSE) -> AsyncIterator[str]:
    """Yield an event when metrics or the ending of a run have changed: `{"step", "status", "ended"}`."""
    known, silent = None, 0
    while not await gone():
        now = (stamp(folder / "metrics.jsonl"), stamp(folder / "run.json"))
        if now != known:
            rows = sketch(folder / "metrics.jsonl", 0)
            step, run = (int(rows[-1]["step"]) if rows else 0), RunReader(folder)
            told = {"step": step, "status": run.status_at(step), "ended": bool(run.ended)}
            yield f"event: step\ndata: {json.dumps(told)}\n\n"
            known, silent = now, 0
        elif (silent := silent + 1) % SILENCE == 0:
            yield ": still here\n\n"
        await asyncio.sleep(pause)


def stamp(file: Path) -> tuple[int, int]:
    """Return size and time of a file; zeros if it does not exist."""
    try:
        about = file.stat()
    except OSError:
        return 0, 0
    return about.st_size, about.st_mtime_ns
