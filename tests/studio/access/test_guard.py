"""Nobody gets in without a link or a password, and no other site can act for somebody who is in."""

import pytest

from posttrain.studio.access.roles import ANNOTATOR, VIEWER
from posttrain.studio.app import PAGES
from tests.studio.site import Browser, make_run, open_studio


@pytest.fixture
def studio(tmp_path):
    make_run(tmp_path, "first", [{"reward": 0.5}])
    return open_studio(tmp_path)


def example(path):
    return (
        path.replace("{run}", "first")
        .replace("{step}", "1")
        .replace("{place}", "0")
        .replace("{prompt}", "1")
        .replace("{project}", "1")
        .replace("{act}", "a")
        .replace("{what}", "acts")
    )


@pytest.mark.fault("U6")
@pytest.mark.parametrize("path", [path for path, *_ in PAGES])
def test_no_page_is_shown_to_a_stranger(studio, path):
    stranger = Browser(studio, enter=False)
    taken = [form for p, _, _, form in PAGES if p == path]
    stranger.get(example(path), 401)
    if any(taken):
        stranger.post(example(path), 401)
    assert "Enter the studio" in stranger.get(
        example(path), headers={"accept": "text/html"}
    )  # a person is shown the door


def test_a_link_works_once(studio):
    token = studio.sessions.link("ann", "owner")
    Browser(studio, enter=False).get(f"/enter?token={token}")
    Browser(studio, enter=False).get(f"/enter?token={token}", 403)
    Browser(studio, enter=False).get("/enter?token=guessed", 403)


def test_an_old_link_and_an_idle_session_are_void(studio, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(studio.sessions, "_clock", lambda: now[0])
    token, browser = studio.sessions.link("ann", "owner"), Browser(studio)
    now[0] = 3601.0
    Browser(studio, enter=False).get(f"/enter?token={token}", 403)
    browser.get("/runs")
    now[0] += 12 * 3600 + 1
    browser.get("/runs", 401)


def test_the_cookie_is_for_this_site_alone_and_new_with_every_entrance(studio):
    browser = Browser(studio, enter=False)
    browser.client.cookies.set("posttrain_studio", "fixed by somebody else", domain="studio.test")
    answer = browser.client.get(f"/enter?token={studio.sessions.link('ann', 'owner')}", follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "fixed" not in cookie
    assert Browser(studio).client.cookies != Browser(studio).client.cookies


@pytest.mark.fault("U6")
def test_a_form_needs_the_token_of_its_session(studio):
    one, other = Browser(studio), Browser(studio)
    other.csrf = one.csrf
    other.post("/leave", 403)
    other.csrf = ""
    other.post("/leave", 403)
    other.get("/runs")
    other.post("/leave")
    other.get("/runs", 401)
    one.get("/runs")


@pytest.mark.fault("U6")
@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.test"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}]
)
def test_a_form_of_another_site_is_refused(studio, headers):
    browser = Browser(studio)
    form = {"csrf": browser.csrf}
    assert browser.client.post("/leave", data=form, headers=headers).status_code == 403
    good = {"origin": "http://studio.test", "sec-fetch-site": "same-origin"}
    assert browser.client.post("/leave", data=form, headers=good, follow_redirects=False).status_code == 303


@pytest.mark.parametrize("host", ["evil.test", "", "studio.test.evil.test", "evil.test:80@studio.test.x", "["])
def test_another_host_name_is_refused(studio, host):
    answer = Browser(studio).client.get("/runs", headers={"host": host})
    assert answer.status_code in (400, 421)
    assert "reward" not in answer.text


def test_every_answer_forbids_scripts_of_others(studio):
    browser = Browser(studio)
    for path in ("/runs", "/nothing", "/static/studio.css", "/runs/none"):
        headers = browser.client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.fault("U7")
def test_a_form_is_small_urlencoded_and_utf8(studio):
    browser = Browser(studio, role=VIEWER)
    client, kind = browser.client, {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/leave", content=b"a=" + b"x" * 2_000_001, headers=kind).status_code == 413
    assert client.post("/leave", content=b"csrf=%ff", headers=kind).status_code == 400
    assert client.post("/leave", content=b"&".join([b"a=1"] * 10_001), headers=kind).status_code == 400
    assert client.post("/leave", json={}).status_code == 415
    assert client.put("/leave").status_code == 405


def test_a_role_sees_what_is_its_own(studio):
    for role in (ANNOTATOR, VIEWER):
        browser = Browser(studio, role=role)
        for path, _, roles, form in PAGES:
            if role not in roles:
                (browser.post if form else browser.get)(example(path), 403)
