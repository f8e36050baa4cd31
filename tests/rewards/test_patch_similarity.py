"""The similarity of patches: the cases of the authors' own tests, each error of the format, hostile answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from posttrain.rewards.bundled.patch_similarity import diffs, patch_similarity, similarity
from tests.harness.runs import metrics, run

pytestmark = pytest.mark.paper("wei2025v4d")

BEFORE = {"a.py": "one\ntwo\nthree"}
AFTER = {"a.py": "one\n2\nthree"}


def edit(old, new, file="a.py"):
    return f"```python\n### {file}\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"


def answer(*edits, thought="hm"):
    return f"<think>{thought}</think>\n<solution>{''.join(edits)}</solution>"


def score(text, before=BEFORE, after=AFTER):
    return patch_similarity([text], [before], [after])[0]


def test_the_true_patch_is_1_and_another_the_share_of_matching_characters():
    assert score(answer(edit("two", "2"))) == 1.0
    # After `@@ -1,3 +1,3 @@` the diffs ` one -two +2  three` and ` one -two +4  three`: one of 35 characters differs.
    assert score(answer(edit("two", "4"))) == pytest.approx(2 * 34 / 70)


def test_a_file_that_one_patch_alone_touches_counts_zero():
    both = {**BEFORE, "b.py": "x"}
    assert score(answer(edit("two", "2"), edit("x", "y", "b.py")), both) == 0.5
    assert score(answer(edit("x", "y", "b.py")), both) == 0.0
    assert score(answer(edit("two", "2")), both, {**AFTER, "b.py": "z"}) == 0.5
    assert similarity({"a": "+x"}, {"a": "+x", "b": "+y", "c": "+z"}) == pytest.approx(1 / 3)


def test_an_edit_changes_every_place_and_edits_of_a_file_follow_each_other():
    before, after = {"a.py": "x\ny\nx"}, {"a.py": "z\ny\nz"}
    assert score(answer(edit("x", "z")), before, after) == 1.0
    assert score(answer(edit("two", "x"), edit("x", "2"))) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        answer(),
        answer(edit("two", "2"), thought=" "),
        answer(edit("four", "4")),
        answer(edit("wo", "2")),  # no whole lines
        answer(edit("two", "two")),
        answer(edit("two", "2")) + "<think></think>",
        "<solution>" + edit("two", "2") + "</solution>",
        answer(edit("two", "2").replace("```", "")),
        answer(edit("two", "2").replace("### ", "# ")),
        answer(edit("two", "2", "other.py")),
    ],
)
def test_each_error_of_the_format_is_minus_one(text):
    assert score(text) == -1.0
    assert patch_similarity([text], [BEFORE], [AFTER], wrong=-0.5) == [-0.5]


def test_edits_that_cancel_each_other_are_worth_nothing_and_no_truth_abstains():
    assert score(answer(edit("two", "x"), edit("x", "two"))) == 0.0
    assert patch_similarity(["", ""], [None, BEFORE], [AFTER, None]) == [None, None]
    with pytest.raises(ValueError, match="changes none of the files"):
        score(answer(edit("two", "2")), BEFORE, BEFORE)


def test_a_diff_has_no_header_and_three_lines_of_context():
    (diff,) = diffs({"a": "1\n2\n3\n4\n5\n6"}, {"a": "1\n2\n3\n4\n5\nsix", "b": ""}).values()
    assert diff.split("\n") == ["@@ -3,4 +3,4 @@", " 3", " 4", " 5", "-6", "+six"]


def test_bugs_train_through_the_recipe(tmp_path):
    result = run(
        Path(__file__).parents[2] / "recipes" / "smollm2_swe_rl.yaml", tmp_path, "model=tiny",
        "procedure.sft={steps: 1, prompts_per_step: 1}", "procedure.then={steps: 1, prompts_per_step: 1}",
        "data.demonstrations=bugs:chat=false,size=2", "data.prompts=bugs:chat=false,size=2",
        "sampling.max_tokens=4", "sampling.samples=2", "evaluate=null", "scoring.workers=0", "train.save_minutes=0",
    )  # fmt: skip
    assert metrics(result)[-1]["rewards/patch_similarity/mean"] == -1.0
    assert metrics(result)[-1]["errors/reward_patch_similarity"] == 0
