"""Runs in a list, one at a time, and over each other; strangers' words are words, and files outside stay outside."""

import json

import pytest

from tests.studio.site import RUN, Browser, answer, make_run, open_studio

HOSTILE = "<script>document.title='owned'</script>{{7*7}}\x1b[31m\u202eevil"


@pytest.fixture
def browser(tmp_path):
    rows = [{"reward": 0.25 * n, "kl": 0.1, "time/sampling": 1.0} for n in range(3)]
    make_run(tmp_path, "first", rows, host="here", why=HOSTILE)
    second = {**RUN, "train": {"steps": 3, "learning_rate": 0.01}}
    make_run(tmp_path, "second", rows, config=second, ended={"how": "failed", "steps": 2, "why": HOSTILE})
    return Browser(open_studio(tmp_path))


def test_the_list_says_how_runs_stand(browser):
    page = browser.get("/runs")
    assert "finished after 3 steps" in page
    assert 'class="state failed"' in page
    assert "online/grpo  tiny" in page
    assert "2 of 2" in page
    assert "1 of 2" in browser.get("/runs?q=failed")


def test_a_run_shows_what_it_has(browser):
    page = browser.get("/runs/first")
    assert "metric=reward&amp;smooth=0" in page
    assert "train.learning_rate" in page
    assert "here" in page
    assert "<b>0.5</b>" in page


def test_curves_come_smoothed_from_the_server(browser):
    drawn = json.loads(browser.get("/curves?run=first&run=second&metric=reward"))["runs"]
    assert drawn[0] == {"name": "first", "steps": [1, 2, 3], "values": [0.0, 0.25, 0.5]}
    assert json.loads(browser.get("/curves?run=first&metric=reward&smooth=0.5"))["runs"][0]["values"][-1] < 0.5


def test_two_runs_differ_in_a_setting(browser):
    page = browser.get("/compare?run=first&run=second")
    assert "train.learning_rate" in page
    assert "train.steps" not in page
    assert "run=first&amp;run=second&amp;metric=reward" in page


@pytest.mark.parametrize(
    "query", ["smooth=1", "smooth=x", "smooth=nan", "points=9999999", "points=1e3", "run=first' OR 1=1", "run=../x"]
)
def test_values_that_make_no_sense_are_refused(browser, query):
    answer = browser.client.get(f"/curves?run=first&metric=reward&{query}")
    assert answer.status_code in (404, 422)


@pytest.mark.fault("U1")
def test_what_strangers_wrote_is_shown_as_text(browser):
    for path in ("/runs", "/runs/first", "/runs/second", "/runs?q=" + "%3Cscript%3E", "/runs/%3Cscript%3E"):
        page = browser.client.get(path).text
        assert "<script>document" not in page
        assert "49" not in page.split("{{7*7}}")[0][-40:]
        assert "\x1b" not in page
        assert "\u202e" not in page
    assert "&lt;script&gt;document" in browser.get("/runs/first")
    assert "\\x1b[31m\\u202eevil" in browser.get("/runs/first")


@pytest.mark.fault("U8")
@pytest.mark.parametrize(
    "name", ["../secret", "..%2fsecret", "%2e%2e/secret", "/etc", "first/../../secret", "first%00"]
)
def test_no_path_leads_out_of_the_folder(browser, tmp_path, name):
    make_run(tmp_path.parent, f"secret-{tmp_path.name}", [{"canary": 1.0}])
    secret = name.replace("secret", f"secret-{tmp_path.name}")
    for path in (f"/runs/{secret}", f"/static/{secret}/run.json", f"/curves?run={secret}&metric=canary"):
        answer = browser.client.get(path)
        assert answer.status_code == 404, path
        assert "canary" not in answer.text


@pytest.mark.fault("U8")
def test_links_out_of_the_folder_are_not_followed(browser, tmp_path):
    outside = make_run(tmp_path.parent, f"outside-{tmp_path.name}", [{"canary": 1.0}])
    (tmp_path / "link").symlink_to(outside)
    inner = make_run(tmp_path, "inner", [{"reward": 1.0}])
    (inner / "config.yaml").unlink()
    (inner / "config.yaml").symlink_to(outside / "config.yaml")
    page = browser.get("/runs")
    assert "2 of 2" in page
    browser.get("/runs/link", 404)
    browser.get("/runs/inner", 404)


def test_looking_writes_nothing(browser, tmp_path):
    before = sorted(path for path in tmp_path.rglob("*"))
    for path in ("/runs", "/runs/first", "/compare?run=first", "/curves?run=first&metric=kl"):
        browser.get(path)
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_findings_stand_on_the_page_of_a_run(browser, tmp_path):
    dead = [{"frac_reward_zero_std": 0.9} for _ in range(20)]
    samples = [answer(prompt=p, text="yes") for p in range(3)]
    make_run(tmp_path, "dead", dead, samples)
    page = browser.get("/runs/dead")
    assert "dead groups" in page
    assert "?metric=frac_reward_zero_std#curves" in page
    assert "/runs/dead/samples/1/2" in page
    assert "Findings" not in browser.get("/runs/first")
