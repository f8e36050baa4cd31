"""The news of a run that is going on."""

import asyncio
import json

from posttrain.studio.pages.events import news
from tests.studio.site import make_run


def test_news_come_when_the_file_grows_and_end_with_the_browser(tmp_path):
    folder = make_run(tmp_path, "first", [{"reward": 0.0}], ended=None)
    told, looks = [], iter([False, False, False, True])

    async def gone():
        return next(looks)

    async def listen():
        async for event in news(folder, gone, pause=0):
            told.append(json.loads(event.split("data: ")[1]))
            if len(told) == 1:
                with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
                    file.write('{"step": 2, "reward": 1.0}\n')

    asyncio.run(listen())
    assert [event["step"] for event in told] == [1, 2]
    assert not told[-1]["ended"]
