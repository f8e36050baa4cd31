"""A real browser: curves are drawn under the policy against foreign scripts, and the desk works by keyboard alone.

It needs `pip install playwright` (200 MB) and Debian's chromium, so the usual run of the tests skips it.
"""

import json
import re
import shutil
import subprocess
import sys

import pytest

from posttrain.studio.access.roles import OWNER
from tests.studio.pages.test_runs import HOSTILE
from tests.studio.site import answer, make_run

pytestmark = pytest.mark.slow
CHROMIUM = shutil.which("chromium")
PAIRS = [{"prompt": f"{n} + {n}?", "answers": [f"It is {2 * n}.", f"Perhaps {n}? {HOSTILE}"]} for n in range(1, 23)]
TOKENS = {"text": ["It", " is", " 4."], "logp": [-0.01, -1.0, -7.5], "trained": [1, 1, 0]}


@pytest.fixture
def page(tmp_path):
    """A page of a browser that has entered; nothing may go wrong in its console."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    rows = [{"reward": 0.01 * n, "kl": 0.001 * n} for n in range(50)]
    make_run(tmp_path, "first", rows, [answer(text=HOSTILE, per_token=TOKENS)])
    command = [sys.executable, "-m", "posttrain", "studio", str(tmp_path), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        link = re.search(r"http\S+", server.stdout.readline())[0]
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(base_url=link.partition("/enter")[0])
            wrong = []
            page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(link)
            yield page
            assert wrong == []
            browser.close()
    finally:
        server.terminate()
        server.wait()


def width(page):
    return page.evaluate("document.documentElement.scrollWidth")


def test_a_run_an_answer_and_twenty_pairs(page, tmp_path):
    from playwright.sync_api import expect

    page.goto("/runs/first")
    page.wait_for_selector("figure canvas")
    page.goto("/runs/first/samples/1/0")
    assert page.title().startswith("Answer 0")  # and not what the answer's script would have set
    assert page.locator(".tokens .t4").get_attribute("title") == "logp -7.5"
    page.goto("/projects")
    assert OWNER in page.locator("header").inner_text()
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, PAIRS)), encoding="utf-8")
    page.fill("[name=name]", "sums")
    page.set_input_files("[data-into=file]", tmp_path / "pairs.jsonl")
    expect(page.locator("#file")).to_have_value(re.compile("prompt"))
    page.click("button.primary")
    page.goto("/desk/1")
    for done in range(20):
        expect(page.locator(".quiet").first).to_have_text(f"{done} of 22")
        first = page.locator("article").first.inner_text()
        page.keyboard.press("1" if "It is" in first else "2")
        page.keyboard.press("w")
        page.keyboard.press("Enter")
    expect(page.locator(".quiet").first).to_have_text("20 of 22")
    page.keyboard.press("u")
    expect(page.locator(".quiet").first).to_have_text("19 of 22")
    rows = page.request.get("/projects/1/export/preferences").text().splitlines()
    assert len(rows) == 19
    assert all(json.loads(row)["chosen"].startswith("It is") for row in rows)
    acts = map(json.loads, page.request.get("/projects/1/export/feedback").text().splitlines())
    assert {act["judgement"]["strength"] for act in acts} == {2}


def test_narrow_screens(page):
    page.set_viewport_size({"width": 320, "height": 700})
    for path in ("/runs", "/runs/first", "/compare?run=first", "/runs/first/samples", "/runs/first/samples/1/0",
                 "/projects", "/people"):  # fmt: skip
        page.goto(path)
        assert width(page) == 320, path
