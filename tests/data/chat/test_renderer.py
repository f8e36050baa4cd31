"""Chat templates are untrusted code: whatever they do, there is an answer in bounded time and memory."""

import gc
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from posttrain.data.chat import template
from posttrain.data.chat.encode import Encoder
from posttrain.data.chat.render import LONGEST
from posttrain.data.chat.renderer import Renderer
from posttrain.errors import DataError, ModelError
from posttrain.records import Prompt
from tests.data.tokenizer import CHATML, byte_tokenizer

TALK = [{"role": "user", "content": "2 + 2 = é \ud83d?"}]
GROWING = "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}"


@pytest.fixture(scope="module")
def renderer():
    made = Renderer(seconds=1.0)
    yield made
    made.close()


LOOPS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
CALLS = "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}"


@pytest.mark.fault("T2")
@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (LOOPS, "it computed for more than 1 s"),
        (CALLS, "it computed for more than 1 s"),
        ("{{ 9 ** (9 ** 9) }}", "it computed for more than 1 s"),
        ("{{ 'a' * 10 ** 10 }}", "it took more than 512 MiB"),
        (GROWING, "it took more than 512 MiB"),
        ("{{ '%2000000000d' % 1 }}", "it took more than 512 MiB"),
        ("{{ 'a' * 20000000 }}", f"it wrote 20000000 characters, at most {LONGEST} are allowed"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"),
        ("{{ raise_exception('no\n\nnews') }}", "TemplateError: no news)"),
        ("{{ messages.__class__.__mro__[1].__subclasses__() }}", "SecurityError"),
        ("{{ namespace.__init__.__globals__ }}", "SecurityError"),
        ("{{ messages.append(1) }}", "SecurityError"),
        ("{% include '/etc/passwd' %}", "TypeError: no loader for this environment"),
    ],
)  # fmt: skip
def test_what_a_template_may_not_do_is_an_error_in_bounded_time(renderer, template, reason):
    assert renderer.render(CHATML, TALK, False, {})  # the process has started
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        renderer.render(template, TALK, False, {})
    assert str(caught.value).startswith("the chat template fails on this conversation (")
    assert reason in str(caught.value)
    assert time.monotonic() - start < 10
    assert renderer.render("{{ messages[0].content }}", TALK, False, {}) == TALK[0]["content"]


@pytest.mark.fault("T2")
def test_a_template_that_is_no_jinja_is_no_fault_of_a_row(renderer):
    """`invalid: drop` would drop every row."""
    with pytest.raises(ModelError, match=r"not valid Jinja \(TemplateSyntaxError: .*\); set model.chat_template to"):
        renderer.render("{% for m in messages %}", TALK, False, {})


@pytest.mark.parametrize("answer_next", [True, False])
def test_the_text_is_that_of_transformers(renderer, answer_next):
    talk = [*TALK, {"role": "assistant", "content": "4", "tool_calls": [{"name": "f"}], "reasoning": "hm"}]
    template = CHATML + "{{ bos_token }}{{ messages[-1].reasoning_content }}{{ messages[-1] | tojson }}{% break %}"
    template = "{% for i in [1, 2] %}" + template + "{% endfor %}"
    tokenizer = byte_tokenizer(template)
    expected = tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=answer_next)
    assert renderer.render(template, talk, answer_next, tokenizer.special_tokens_map) == expected


def test_threads_get_their_own_answers(renderer):
    found = {}

    def ask(n):
        found[n] = renderer.render("{{ messages[0].content }}" + str(n), [{"role": "user", "content": "x"}], True, {})

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: f"x{n}" for n in range(8)}


def test_an_interrupt_does_not_leave_its_answer_to_the_next(renderer):
    slow = "{% for i in range(9999) %}{% for j in range(99) %}{% endfor %}{% endfor %}slow"

    def ring(*_):
        raise KeyboardInterrupt

    renderer.render("ready", TALK, False, {})
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        with pytest.raises(KeyboardInterrupt):
            renderer.render(slow, TALK, False, {})
    finally:
        signal.signal(signal.SIGALRM, before)
    assert renderer.render("next", TALK, False, {}) == "next"


def test_a_process_that_was_killed_is_replaced_and_none_is_left():
    def files():
        return len(os.listdir("/proc/self/fd"))

    before = files()
    made = Renderer(seconds=0.5)
    assert made.render("a", TALK, False, {}) == "a"
    first = made._process.pid
    os.kill(first, signal.SIGKILL)
    while Path(f"/proc/{first}/stat").read_text().split()[2] != "Z":
        time.sleep(0.01)
    assert made.render("b", TALK, False, {}) == "b"
    second = made._process.pid
    with pytest.raises(DataError):
        made.render("{{ 9 ** (9 ** 9) }}", TALK, False, {})
    assert made.render("c", TALK, False, {}) == "c"
    made.close()
    made.close()
    assert not [pid for pid in (first, second) if Path(f"/proc/{pid}").exists()]
    assert files() == before


def process_of(encoder):
    return encoder.template._renderer._process


def test_closing_one_encoder_leaves_the_process_of_another_alone(monkeypatch):
    monkeypatch.setattr(template, "Renderer", Renderer)  # tests/conftest.py shares one
    talk = Prompt(1, ({"role": "user", "content": "a"},))
    one, other = Encoder(byte_tokenizer(), 100), Encoder(byte_tokenizer(), 100)
    assert process_of(one) is None  # started when it is first needed
    expected = one.prompt(talk)
    assert other.prompt(talk) == expected
    running = process_of(other)
    one.close()
    assert process_of(one) is None
    assert other.prompt(talk) == expected
    assert process_of(other) is running
    assert one.prompt(talk) == expected  # a closed encoder starts another process
    for encoder in (one, other):
        encoder.close()


def test_a_shared_renderer_is_closed_by_its_owner_alone(renderer):
    talk = Prompt(1, ({"role": "user", "content": "a"},))
    encoder = Encoder(byte_tokenizer(), 100, renderer=renderer)
    assert encoder.prompt(talk)
    running = renderer._process
    encoder.close()
    assert running.poll() is None


def test_a_renderer_that_nobody_closed_leaves_no_process():
    renderer = Renderer()
    renderer.render("ready", TALK, False, {})
    process = renderer._process
    del renderer
    gc.collect()
    assert process.poll() is not None
