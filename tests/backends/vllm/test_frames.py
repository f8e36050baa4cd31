"""Messages over a pipe: whole ones, in pieces, and what is none."""

import os

import pytest

from posttrain.backends.vllm.frames import Inbox, pack


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield Inbox(read), write
    os.close(read)


def test_messages_arrive_whole_and_in_order(pipe):
    inbox, write = pipe
    data = pack({"a": [1, "é"]}) + pack({"b": -0.1})
    os.write(write, data[:11])
    assert inbox.read(0) is None
    os.write(write, data[11:])
    assert inbox.read(0) == {"a": [1, "é"]}
    assert inbox.read(0) == {"b": -0.1}
    assert inbox.read(0.001) is None
    os.close(write)
    with pytest.raises(EOFError):
        inbox.read(None)


@pytest.mark.parametrize("data", [b"printed by a library", (1 << 40).to_bytes(8, "big"), pack([1])])
def test_what_is_no_message_is_an_error(pipe, data):
    inbox, write = pipe
    os.write(write, data)
    os.close(write)
    with pytest.raises(ValueError):
        inbox.read(1)
