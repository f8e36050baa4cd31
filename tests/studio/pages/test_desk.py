"""People at the desk: an owner makes a project, people judge it blind, somebody adjudicates, the export trains."""

import json
import re

import pytest

from posttrain.studio.access.roles import ANNOTATOR, VIEWER
from tests.studio.pages.test_runs import HOSTILE
from tests.studio.site import Browser, answer, make_run, open_studio

FILE = "\n".join(json.dumps({"prompt": f"q{n}", "answers": ["good", "bad"]}) for n in range(4))


@pytest.fixture
def studio(tmp_path):
    rows = [answer(prompt=p, sample=n, text=f"{p}{n}{HOSTILE}") for p in (1, 2) for n in (0, 1)]
    make_run(tmp_path, "secret-model", samples=rows)
    return open_studio(tmp_path)


def make(owner, **fields):
    page = owner.post("/projects", **{"name": "which", "kind": "pair", "file": FILE, **fields})
    return re.search(r"/desk/(\d+)", page)[1]


def judge(browser, number, want, code=200, **fields):
    """Prefer the answer with these words, wherever it is shown."""
    page = browser.get(f"/desk/{number}")
    act = re.search(r'name="act" value="(\w+)"', page)[1]
    shown = re.findall(r'<p class="said" dir="auto">(.*?)</p>', page.split('class="beside"')[1])
    return browser.post(f"/desk/{number}", code, act=act, preferred=shown.index(want), strength="1", **fields), act


def test_from_a_file_to_pairs(studio):
    owner, ann, bob = Browser(studio, "boss"), Browser(studio, "ann", ANNOTATOR), Browser(studio, "bob", ANNOTATOR)
    number = make(owner, overlap="2")
    for _ in range(4):
        judge(ann, number, "good")
    for want in ("good", "good", "good", "bad"):
        page, _ = judge(bob, number, want)
    assert "Nothing is left for you" in page
    page = owner.get(f"/projects/{number}")
    assert "8 of 8 judgements, 4 of 4 items done" in page
    assert "Adjudicate" in page
    item = re.search(r"\?item=(\d+)", page)[1]
    task = owner.get(f"/desk/{number}?item={item}")
    act = re.search(r'name="act" value="(\w+)"', task)[1]
    owner.post(f"/desk/{number}", act=act, preferred="tie", role="adjudicator")
    assert "1 adjudicated" in owner.get(f"/projects/{number}")
    rows = [json.loads(line) for line in owner.get(f"/projects/{number}/export/preferences").splitlines()]
    assert [(r["chosen"], r["rejected"]) for r in rows] == [("good", "bad")] * 3
    assert len(owner.get(f"/projects/{number}/export/feedback").splitlines()) == 9


def test_undo_gives_the_item_back(studio):
    ann = Browser(studio, "ann")
    number = make(ann)
    judge(ann, number, "good")
    assert "q0" in ann.post(f"/desk/{number}/undo")
    judge(ann, number, "bad")
    assert "q2" in judge(ann, number, "good")[0]


def test_an_annotator_sees_no_model_and_no_markup_of_it(studio):
    owner, ann = Browser(studio, "boss"), Browser(studio, "ann", ANNOTATOR)
    number = make(owner, file="", run="secret-model", instructions=HOSTILE, question=HOSTILE)
    page = ann.get(f"/desk/{number}")
    assert "secret-model" not in page
    assert "<script>document" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;document" in page


def test_the_same_form_twice_counts_once_and_another_answer_is_a_conflict(studio):
    ann = Browser(studio, "ann")
    number = make(ann)
    _, act = judge(ann, number, "good")
    said = json.loads(ann.get(f"/projects/{number}/export/feedback"))
    ann.post(f"/desk/{number}", 409, act=act, preferred="tie")
    ann.post(f"/desk/{number}", 409, act="forged", preferred="tie")
    assert json.loads(ann.get(f"/projects/{number}/export/feedback")) == said


def test_a_wrong_form_is_shown_again_with_what_was_wrong(studio):
    ann = Browser(studio, "ann")
    number = make(ann)
    page = ann.get(f"/desk/{number}")
    act = re.search(r'name="act" value="(\w+)"', page)[1]
    page = ann.post(f"/desk/{number}", 422, act=act, reason="because <b>")
    assert "choose an answer" in page
    assert "because &lt;b&gt;" in page
    assert "there is no project 99" in owner_error(ann, "/desk/99")


def owner_error(browser, path):
    return browser.get(path, 404)


@pytest.mark.parametrize(
    ("kind", "row", "form"),
    [
        ("rating", {"answers": ["a"]}, {"score helpful": "4", "score honest": "2"}),
        ("ranking", {"answers": ["a", "b", "c"]}, {"rank0": "1", "rank1": "2", "rank2": "2"}),
        ("spans", {"answers": ["abc"]}, {"spans": '[{"start": 0, "end": 2, "category": "helpful"}]'}),
        ("edit", {"answers": ["a"]}, {"text": "b"}),
        ("demonstration", {}, {"text": "b"}),
    ],
)
def test_every_kind_has_a_form_that_is_saved(studio, kind, row, form):
    ann = Browser(studio, "ann")
    row = json.dumps([{"prompt": [{"role": "user", "content": "q"}], **row}])
    number = make(ann, kind=kind, file=row, attributes="helpful, honest", categories="helpful, honest")
    page = ann.get(f"/desk/{number}")
    for field in form:
        assert f'name="{field}"' in page
    act = re.search(r'name="act" value="(\w+)"', page)[1]
    assert "Nothing is left" in ann.post(f"/desk/{number}", act=act, **form)
    assert json.loads(ann.get(f"/projects/{number}/export/feedback"))["judgement"]["type"] in (kind, "rating")
    for shape in ("preferences", "unpaired", "completions", "argilla", "label_studio", "csv"):
        ann.get(f"/projects/{number}/export/{shape}")
    ann.get(f"/projects/{number}/export/other", 404)


def test_a_feedback_file_comes_back_as_it_went(studio):
    ann = Browser(studio, "ann")
    number = make(ann)
    judge(ann, number, "good")
    file = ann.get(f"/projects/{number}/export/feedback")
    other = make(ann, name="again", file=file)
    assert json.loads(ann.get(f"/projects/{other}/export/feedback")) == json.loads(file)
    assert "1 of 1 judgements" in ann.get(f"/projects/{other}")


@pytest.mark.parametrize(
    "fields", [{"file": "nonsense"}, {"file": ""}, {"overlap": "0"}, {"kind": "x"}, {"run": "none"}, {"low": "'; DROP"}]
)
def test_a_project_that_makes_no_sense_is_refused_with_the_form_kept(studio, fields):
    owner = Browser(studio)
    owner.get("/projects")
    page = owner.client.post(
        "/projects", data={"csrf": owner.csrf, "name": "kept name", "kind": "pair", "file": FILE, **fields}
    )
    assert page.status_code in (404, 422)
    assert studio.store.projects() == []


def test_who_may_do_what(studio):
    owner, ann = Browser(studio, "boss"), Browser(studio, "ann", ANNOTATOR)
    number = make(owner)
    ann.get(f"/projects/{number}", 403)
    ann.get(f"/projects/{number}/export/feedback", 403)
    ann.get(f"/desk/{number}?item=1", 403)
    ann.post("/projects", 403, name="mine")
    Browser(studio, "eve", VIEWER).get(f"/desk/{number}", 403)
    assert ">which</a>" not in ann.get("/projects")


@pytest.mark.fault("U1", "U2")
def test_hostile_names_stay_in_their_place(studio):
    owner = Browser(studio, "x'); DROP TABLE acts;--")
    number = make(owner, name=HOSTILE)
    judge(owner, number, "good")
    assert "<script>document" not in owner.get("/projects") + owner.get(f"/projects/{number}")
    assert len(studio.store.records(int(number))) == 1


def test_a_database_that_cannot_be_used_is_said_and_nothing_is_lost(studio, monkeypatch):
    ann = Browser(studio, "ann")
    number = make(ann)
    monkeypatch.setattr("posttrain.studio.database.WAIT", 0.01)
    with studio.database.change():
        page = ann.get(f"/desk/{number}", 503)
    assert "nothing was saved" in page
    assert ann.get(f"/projects/{number}/export/feedback") == ""


def test_an_annotator_is_no_adjudicator_whatever_the_form_says(studio):
    owner, ann = Browser(studio, "boss"), Browser(studio, "ann", ANNOTATOR)
    number = make(owner)
    judge(ann, number, "good", role="adjudicator")
    assert "role" not in json.loads(owner.get(f"/projects/{number}/export/feedback"))


def test_spans_and_edits_need_text(studio):
    row = json.dumps({"prompt": "q", "answers": [[{"role": "assistant", "content": "a"}]]})
    owner = Browser(studio)
    for kind in ("spans", "edit"):
        owner.get("/projects")
        assert "line 1" in owner.post("/projects", 422, name="p", kind=kind, file=row)
    assert "/projects/1" in owner.post("/projects", name="p", kind="rating", file=row)
