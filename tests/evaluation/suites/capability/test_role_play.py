"""Roles: who speaks in style is recognised, who speaks like another role is not."""

from __future__ import annotations

import json

import pytest

from posttrain.evaluation.suites.capability.role_play import QUESTIONS, ROLES, role_play
from tests.evaluation.scripted import answered


@pytest.mark.paper("000:[70]")
def test_who_speaks_in_the_style_of_the_role_is_recognised_and_others_are_not():
    own = answered(role_play(), lambda item, _: ROLES[item["role"]][1][0]).numbers
    assert own["recognised"].mean == 1.0
    assert own["style[role=robot]"].mean > 0.5
    assert "rouge_l" not in own  # there is no reference
    other = {"sailor": "butler", "butler": "robot", "robot": "sailor"}
    assert answered(role_play(), lambda i, _: ROLES[other[i["role"]]][1][0]).numbers["recognised"].mean == 0.0


@pytest.mark.paper("000:[70]")
def test_the_profile_is_the_system_message_or_stands_at_the_top():
    prompt = role_play().prompts[0]
    system, question = role_play().ask(prompt)
    assert (system["role"], system["content"]) == ("system", ROLES["sailor"][0])
    assert question["content"] == QUESTIONS[0]
    (merged,) = role_play(system=False).ask(prompt)
    assert merged["content"] == f"{system['content']}\n\n{QUESTIONS[0]}"


def test_a_file_of_roles_with_references(tmp_path):
    row = {"prompt": "Hi", "role": "a", "profile": "Be a.", "lines": "one two three", "reference": "one two"}
    (tmp_path / "r.jsonl").write_text(json.dumps(row))
    found = answered(role_play(data=str(tmp_path / "r.jsonl")), lambda *_: "one two three").numbers
    assert found["rouge_l"].mean == pytest.approx(0.8)
    assert found["style"].mean == pytest.approx(1.0)  # a single line may be a text
