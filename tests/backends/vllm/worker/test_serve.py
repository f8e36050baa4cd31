"""The loop of the worker: what it does with a verb that it does not know, and at the end."""

import os

import pytest

from posttrain.backends.vllm.frames import Inbox, pack
from posttrain.backends.vllm.worker.serve import serve


class Idle:
    version = 3
    busy = False
    forgot = 0

    def forget(self):
        self.forgot += 1


def test_it_obeys_until_the_other_end_is_closed_and_tells_what_fails():
    read, write = os.pipe()
    told, idle = [], Idle()
    os.write(write, pack({"verb": "load"}) + pack({"verb": "forget"}) + pack({"verb": "sing"}))
    with pytest.raises(ValueError, match="no verb 'sing'"):
        serve(lambda _: idle, Inbox(read), told.append)
    assert idle.forgot == 1
    assert told == [{"loaded": 3}, {"error": "ValueError: no verb 'sing'"}]
    os.write(write, pack({"verb": "load"}))
    os.close(write)
    serve(lambda _: idle, Inbox(read), told.append)
    os.close(read)
    assert told[2:] == [{"loaded": 3}]
