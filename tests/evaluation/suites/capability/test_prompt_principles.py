"""Rewritten prompts: each keeps the question, and only what helps has an effect."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.evaluation.suites.capability.prompt_principles import PRINCIPLES, prompt_principles
from tests.evaluation.scripted import answered


@pytest.mark.paper("000:[81]")
def test_only_the_principle_that_helps_has_an_effect():
    found = answered(prompt_principles(size=6), lambda item, asked: item["answer"] if "MUST" in asked else "0").numbers
    effects = {n: found[f"accuracy.{n}"] for n in list(PRINCIPLES)[1:]}
    assert {n for n, x in effects.items() if x.mean} == {"must"}
    assert (effects["must"].mean, effects["must"].p_value) == (1.0, 2 / 2**6)
    assert effects["tip"].p_value == 1.0


def test_every_principle_keeps_the_question_and_differs_from_the_others():
    written = {rewrite("What is 1 + 2?") for rewrite in PRINCIPLES.values()}
    assert len(written) == len(PRINCIPLES)
    assert all("What is 1 + 2?" in text for text in written)
    assert len(prompt_principles(size=2, principles=["tip", "plain"]).prompts) == 4
    with pytest.raises(ConfigError, match="no 'tipp' .did you mean 'tip'"):
        prompt_principles(principles=["tipp"])
