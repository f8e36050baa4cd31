"""The process of an engine: what is said of one that dies, hangs, fails or talks nonsense."""

import sys
from pathlib import Path

import pytest

import posttrain
from posttrain.backends.vllm.process import EngineError, EngineProcess, check_python, vllm_process
from posttrain.errors import ModelError, WorkerError

SPEAKS = """
import os, sys
sys.path.insert(0, {source!r})
from posttrain.backends.vllm.frames import Inbox, pack
inbox = Inbox(0)
say = lambda message: os.write(1, pack(message))
hear = lambda: inbox.read(None)
"""
SOURCE = str(Path(posttrain.__file__).parents[1])


def process(tmp_path, body, patience=20.0):
    code = SPEAKS.format(source=SOURCE) + body
    return EngineProcess([sys.executable, "-S", "-c", code], tmp_path / "log", patience=patience, starting=20.0)


def test_messages_go_both_ways_however_long_they_are(tmp_path):
    """Both pipes are full at once: the engine writes before it reads."""
    engine = process(tmp_path, "say({'much': 'x' * 2**18}); say({'heard': len(hear()['much'])}); hear()")
    engine.send({"much": "y" * 2**20})
    assert len(engine.receive()["much"]) == 2**18
    assert engine.receive() == {"heard": 2**20}
    engine.close()
    with pytest.raises(WorkerError, match="ended"):
        engine.send({})


@pytest.mark.fault("W7")
@pytest.mark.parametrize(
    ("body", "patience", "words"),
    [
        ("print('no memory', file=sys.stderr); sys.exit(3)", 20.0, "ended .exit code 3.*no memory"),
        ("say({'error': 'ValueError: no such model'}); hear()", 20.0, "failed: ValueError: no such model"),
        ("os.write(1, b'a progress bar'); hear()", 20.0, "sent what is no message"),
        ("say({}); hear(); hear()", 0.05, "said nothing for 0.05 s"),
    ],
)
def test_the_error_says_what_became_of_it(tmp_path, body, patience, words):
    engine = process(tmp_path, body, patience)
    with pytest.raises(WorkerError, match=rf"(?s){words}") as raised:
        [engine.receive() for _ in range(2)]
    assert isinstance(raised.value, EngineError) == words.startswith("failed")
    assert engine.child.returncode is not None


def test_the_reason_of_a_process_that_fails_while_it_is_sent_to_is_kept(tmp_path):
    engine = process(tmp_path, "say({'error': 'no room'}); sys.exit(1)")
    engine.child.wait()
    engine.child.returncode = None  # nobody has noticed yet
    with pytest.raises(EngineError, match="failed: no room"):
        engine.send({"much": "y" * 2**20})


def test_a_python_without_vllm_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ModelError, match="has no vLLM; make a venv"):
        check_python(sys.executable)
    with pytest.raises(ModelError, match="cannot be run"):
        check_python(str(tmp_path / "python"))
    with pytest.raises(WorkerError, match="cannot be started"):
        EngineProcess([tmp_path / "python"], tmp_path / "log", patience=1, starting=1)


def test_the_worker_imports_this_package_and_tells_what_it_lacks(tmp_path):
    """The Python of another venv sees nothing of ours but the package itself."""
    engine = vllm_process(sys.executable, tmp_path, tmp_path / "log", patience=20, starting=20)
    with pytest.raises(WorkerError, match="(?s)ended .*No module named 'vllm'"):
        engine.receive()
