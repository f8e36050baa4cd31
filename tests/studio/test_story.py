"""The whole way: a run answers, people say which answer is better, and a policy is trained on what they said."""

import json
import re

from posttrain.studio.access.roles import ANNOTATOR
from tests.harness.runs import run
from tests.studio.pages.test_desk import judge
from tests.studio.site import Browser, answer, make_run, open_studio

ANSWERS = [answer(prompt=p, sample=n, text=text) for p in range(4) for n, text in enumerate(("4", "four"))]
PREFERRED = {"model": "tiny", "method": "preference/dpo", "train": {"steps": 1, "prompts_per_step": 2}}


def test_from_a_run_to_a_policy_that_people_prefer(tmp_path):
    make_run(tmp_path / "runs", "first", samples=ANSWERS)
    owner = Browser(open_studio(tmp_path / "runs"), "boss")
    number = re.search(r"/desk/(\d+)", owner.post("/projects", name="which", kind="pair", run="first"))[1]
    ann = Browser(owner.studio, "ann", ANNOTATOR)
    while "Save and next" in ann.get(f"/desk/{number}"):
        judge(ann, number, "four")
    file = tmp_path / "feedback.jsonl"
    file.write_text(owner.get(f"/projects/{number}/export/feedback"), encoding="utf-8")
    acts = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(acts) == 4
    assert acts[0]["answers"][0]["run"] == "first"
    preferences = owner.get(f"/projects/{number}/export/preferences").splitlines()
    assert {json.loads(line)["chosen"] for line in preferences} == {"four"}
    trained = run({**PREFERRED, "data": str(file)}, tmp_path / "runs", "name=second")
    assert "rewards/accuracies" in trained.metrics
    assert "finished after 1 steps" in owner.get("/runs/second")
