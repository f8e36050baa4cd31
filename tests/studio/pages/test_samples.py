"""Answers on pages: hostile ones as text, long ones cut with a word, tokens where the run wrote them."""

import json

import pytest

from tests.studio.pages.test_runs import HOSTILE
from tests.studio.site import Browser, answer, make_run, open_studio

TOKENS = {"text": ["<b>", "\n", "4"], "logp": [-0.01, -1.0, -7.5], "trained": [1, 1, 0]}
TURNS = [{"author": 0, "text": "call()", "tokens": 2, "reward": 0.5}, {"author": None, "text": "Result", "tokens": 1}]


@pytest.fixture
def browser(tmp_path):
    rows = [answer(step=s, sample=n, text=f"s{s} a{n}", reward=float(n)) for s in (1, 3) for n in (0, 1)]
    rows.append(answer(step=3, prompt=7, text=HOSTILE, segments=TURNS, per_token=TOKENS, notes={"judge": HOSTILE}))
    make_run(tmp_path, "first", samples=rows)
    make_run(tmp_path, "second", samples=[answer(step=3, text="from the second")])
    make_run(tmp_path, "empty")
    return Browser(open_studio(tmp_path))


def test_the_answers_of_a_step_in_groups(browser):
    page = browser.get("/runs/first/samples?step=1")
    assert "2 of 2 answers, to 1 prompts" in page
    assert "mean reward 0.5, spread 1" in page
    assert "1 of 3 answers" in browser.get("/runs/first/samples?step=3&q=s3+a0")
    assert "s3 a1" in browser.get("/runs/first/samples")  # the latest
    assert "has written no samples" in browser.get("/runs/empty/samples")


@pytest.mark.fault("U1")
def test_hostile_answers_are_text(browser):
    for path in ("/runs/first/samples", "/runs/first/samples/3/2", "/runs/first/prompts/7"):
        page = browser.get(path)
        assert "<script>document" not in page
        assert "&lt;script&gt;document" in page
        assert "{{7*7}}" in page
        assert "\x1b" not in page
        assert "\u202e" not in page


def test_a_long_answer_is_cut_with_a_word(browser, tmp_path):
    make_run(tmp_path, "long", samples=[answer(text="x" * 10_000_000)])
    page = browser.get("/runs/long/samples/1/0")
    assert "[cut here: 20,000 of 10,000,000 characters are shown]" in page
    assert len(page) < 60_000


def test_an_answer_with_turns_and_tokens(browser):
    page = browser.get("/runs/first/samples/3/2")
    assert "environment" in page
    assert "policy, reward 0.5" in page
    assert '<span class="token t0" title="logp -0.01">&lt;b&gt;</span>' in page
    assert 'class="token t4 untrained"' in page
    assert "train.samples_tokens" in browser.get("/runs/first/samples/1/0")


def test_a_prompt_over_the_steps_beside_another_run(browser):
    page = browser.get("/runs/first/prompts/1?with=second")
    assert page.index("Step 1") < page.index("Step 3")
    assert "from the second" in page
    assert "No answer at this step" in page


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/runs/first/samples?step=2", 404),
        ("/runs/first/samples?step=x", 404),
        ("/runs/first/samples?low=abc", 422),
        ("/runs/first/samples?order=reward;DROP", 422),
        ("/runs/first/samples?page=0", 422),
        ("/runs/first/samples/3/99", 404),
        ("/runs/first/samples/3/-1", 422),
        ("/runs/first/samples/3/0?by=x", 422),
        ("/runs/first/prompts/none", 404),
    ],
)
def test_what_does_not_exist(browser, path, code):
    browser.get(path, code)


def test_a_samples_file_that_is_a_link_is_not_read(browser, tmp_path):
    secret = tmp_path / "secret.jsonl"
    secret.write_text('{"step": 9, "completion": "canary"}\n')
    (tmp_path / "first" / "samples" / "step-000009.jsonl").symlink_to(secret)
    browser.get("/runs/first/samples?step=9", 404)


def test_the_answers_of_an_evaluation_and_of_an_environment(browser, tmp_path):
    folder = tmp_path / "first" / "evaluations"
    folder.mkdir()
    talk = [{"role": "tool", "content": "42"}, {"role": "assistant", "content": "", "tool_calls": [{"name": "add"}]}]
    row = {**answer(text="held out", tokens=[5, 6, 7]), "conversation": talk, "cut": "turns", "error": "it broke"}
    (folder / "before.jsonl").write_text('{"measured": {}}\n' + json.dumps(row) + "\n", encoding="utf-8")
    (folder / "secret.jsonl").symlink_to(tmp_path / "first" / "run.json")
    assert "?step=before" in browser.get("/runs/first")
    page = browser.get("/runs/first/samples?step=before&only=failed&longest=3")
    assert "held out" in page
    page = browser.get("/runs/first/samples/before/0")
    for words in ("it broke", "no turns were left", "tool_calls", "3 tokens"):
        assert words in page
    browser.get("/runs/first/samples?step=secret", 404)
    assert "s3 a0" in browser.get("/runs/first/samples")  # the latest step, not an evaluation
