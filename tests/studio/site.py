"""A studio with runs, and a browser in it."""

import json
import re

from starlette.testclient import TestClient

from posttrain.studio.access.roles import OWNER
from posttrain.studio.app import application
from posttrain.studio.folders import Folders
from posttrain.studio.studio import Studio

HOST = "studio.test"
RUN = {"method": {"path": "online/grpo"}, "model": {"path": "tiny"}, "train": {"steps": 3, "learning_rate": 0.001}}


def make_run(parent, name, rows=(), samples=(), config=RUN, **facts):
    """Write a run folder. `samples`: rows of the samples files, each with its step."""
    folder = parent / name
    (folder / "samples").mkdir(parents=True)
    facts = {"id": name, "attempt": 1, "ended": {"how": "finished", "steps": len(rows)}, **facts}
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    rows = [{"step": n + 1, **row} for n, row in enumerate(rows)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for step in {row["step"] for row in samples}:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in samples if row["step"] == step]
        (folder / "samples" / f"step-{step:06d}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def answer(step=1, prompt=1, sample=0, text="4", reward=1.0, **other):
    """A row of a samples file."""
    about = {"prompt_id": prompt, "sample": sample, "author": 0, "prompt": f"2+{prompt}=", "completion": text}
    known = {"reward": reward, "rewards": {"exact": reward}, "advantage": reward, "ended": True, "tokens": len(text)}
    return {"step": step, **about, **known, **other}


def open_studio(parent, **options):
    parent.mkdir(exist_ok=True)
    return Studio(Folders([parent]), **options)


class Browser:
    """Somebody at a studio: knows the CSRF token of its session, as a page does."""

    def __init__(self, studio, name="ann", role=OWNER, *, enter=True):
        self.studio = studio
        self.client = TestClient(application(studio, frozenset({HOST})), base_url=f"http://{HOST}")
        self.csrf = ""
        if enter:
            self.get(f"/enter?token={studio.sessions.link(name, role)}")

    def get(self, path, code=200, **how):
        answer = self.client.get(path, **how)
        assert answer.status_code == code, (path, answer.status_code, answer.text[-400:])
        found = re.search(r'name="csrf" value="([^"]*)"', answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer.text

    def post(self, path, code=200, follow=True, **fields):
        answer = self.client.post(path, data={"csrf": self.csrf, **fields}, follow_redirects=follow)
        assert answer.status_code == code, (path, answer.status_code, answer.text[-400:])
        return answer.text
