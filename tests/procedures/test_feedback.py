"""Feedback of language models: what holds of every label, and whole runs with judges of the run and behind a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.catalogue.index import load_procedure
from posttrain.config.load import load
from posttrain.data.dataset import Dataset
from posttrain.procedures.judging import ordered, sure, turned
from posttrain.records import Pair
from tests.endpoint.server import Server, answer, send
from tests.harness.runs import SUMS, metrics, run
from tests.harness.scripted_session import ScriptedSession, prompts
from tests.procedures.running import BRIEF
from tests.procedures.transcripts.records import pairs

RECIPES = Path(__file__).parents[2] / "recipes"
BARE = "{first}|{second}"
SHOWN = ("good|poor", "poor|good")


def prefers(*best: str) -> Any:
    """A judge who prefers these answers, by a probability of 0.8."""
    return lambda _, text: [0.8, 0.2] if text.split("|")[0] in best else [0.2, 0.8]


def lines(name: str, data: Any, script: Any, **settings: Any) -> list[str]:
    session = ScriptedSession(**script)
    load_procedure(name)(session, **data, **settings)
    return session.transcript


@pytest.mark.paper("000:[39]")
def test_the_control_learns_the_answers_of_the_teacher_and_no_label() -> None:
    """The same prompts, each answered once by the judge itself: no comparison, no reward model."""
    script = {"speaker": lambda role, text: f"{role}: {text}!"}
    assert lines("rlaif", {"prompts": prompts("x?", "y?")}, script, control="judge") == [
        "ask demonstrations: x?; y? | 1 of judge=given",
        "train imitation/sft on 'answers of judge': x? -> judge: x?!; y? -> judge: y?! | policy=start | no rewards",
    ]


@pytest.mark.paper("000:[39]")
def test_the_control_of_the_recipe_differs_in_the_control_alone() -> None:
    feedback, control = (load(RECIPES / f"smollm2_rlaif{x}.yaml") for x in ("", "_control"))
    assert control.procedure.settings["control"] in feedback.procedure.settings["judges"]
    same = {"models", "data", "rewards", "sampling", "train", "evaluate", "model"}
    assert control.model_dump(include=same) == feedback.model_dump(include=same)


@pytest.mark.paper("lee2023mrw", "002:RLAIF")
def test_a_judge_of_the_run_labels_and_rates(tmp_path: Path) -> None:
    """One run file: a model of the run compares, and rates as a reward, here and behind a server."""

    def behave(handler: Any, body: dict[str, Any]) -> None:
        top = [{"token": "A", "logprob": -0.2}, {"token": "1", "logprob": -2.0}, {"token": "9", "logprob": -2.0}]
        reply = answer(body, "A")
        reply["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        send(handler, json.dumps(reply).encode())

    direct = {"method": "online/grpo", "rewards": [{"path": "rating", "model": "judge", "question": "{answer}"}]}
    distilled = {"procedure": {"path": "rlaif", "question": BARE, "reward": {"steps": 1}, "then": {"steps": 1}}}
    common = {"model": "tiny", "train": {"steps": 1}, "sampling": {"samples": 2}}
    with Server(behave) as server:
        behind = {"models": {"judge": {"endpoint": server.endpoint()}}}
        one = {"data": f"{SUMS},size=2"}
        a = metrics(run({**common, **direct, **one, **behind}, tmp_path / "a", *BRIEF))
        b = metrics(run({**common, **direct, **one, "models": {"judge": "tiny"}}, tmp_path / "b", *BRIEF))
        c = metrics(
            run({**common, **distilled, "data": {"prompts": f"{SUMS},size=2"}, **behind}, tmp_path / "c", *BRIEF)
        )
    assert a[0]["rewards/rating/mean"] == pytest.approx(0.0), "1 and 9 are equally probable"
    assert -1 < b[0]["rewards/rating/mean"] < 1
    assert b[0]["rewards/rating/std"] > 0
    assert [row["step"] for row in c] == [1, 2]
    assert {body["max_tokens"] for body in server.bodies} == {1}


@pytest.mark.paper("anand2024rnl")
def test_labels_of_people_and_models_say_who_made_them() -> None:
    (p,) = pairs(("x?", "a", "b"), annotator=["ann"])
    assert sure([p])[0].columns == {"agreement": 1.0, "annotator": "ann"}
    said = ordered(p, 0.2, "judge")
    assert (said.chosen, said.rejected) == ("b", "a")
    assert said.columns == {"agreement": 0.8, "annotator": "judge"}
    assert ordered(p, 0.9, "judge", (0.4, 0.6)).columns["agreement"] == 0.6


@pytest.mark.paper("000:[68]")
def test_a_share_of_the_labels_is_turned_around() -> None:
    session: Any = ScriptedSession()
    asked = [Pair(i, "x?", "a", "b") for i in range(400)]
    count = lambda share: sum(turned(session, "labels", p, 1.0, share) == 0.0 for p in asked)  # noqa: E731
    assert (count(0.0), count(1.0)) == (0, 400)
    assert 0.2 < count(0.25) / 400 < 0.3


@pytest.mark.paper("li2024ev4")
@pytest.mark.parametrize("right", ["a", "b"])
def test_a_right_answer_never_loses_to_a_wrong_one(right: str) -> None:
    """Whatever the judge prefers, who is asked only where both are right."""
    answers = {"answers": {"x?": {"a": float(right == "a"), "b": float(right == "b")}, "y?": {"a": 1.0, "b": 1.0}}}
    for best in ("a", "b"):
        script = {"answers": answers, "speaker": prefers(best)}
        trained = lines("feedback/hrlaif", {"prompts": prompts("x?", "y?")}, script, question=BARE)[2]
        assert f"x?: {right} >" in trained
        assert f"y?: {best} >" in trained


@pytest.mark.paper("002:Claude 3 / Constitutional AI")
def test_harm_falls_with_each_revision() -> None:
    """A model that removes one harmful word in each revision, as far as the critique names it."""
    answers: dict[str, Any] = {"drafts": {"x?": {"bad bad bad": 0}}, "answers": {"x?": {"a": 0, "b": 0}}}
    for n, (old, new) in enumerate([("bad bad bad", "bad bad"), ("bad bad", "bad")], 1):
        answers[f"critiques-{n}"] = {f"x?\nAnswer: {old}\nC": {"bad": 0}}
        answers[f"revisions-{n}"] = {f"x?\nAnswer: {old}\nCritique: bad\nR": {new: 0}}
    script = {"answers": answers, "speaker": prefers("a")}
    harm = []
    for revisions in (0, 1, 2):
        made = lines(
            "feedback/constitutional",
            {"prompts": prompts("x?")},
            script,
            revisions=revisions,
            criticise=("C",),
            revise=("R",),
            question=BARE,
        )
        (sft,) = [line for line in made if line.startswith("train imitation/sft")]
        harm.append(sft.count("bad"))
        assert "Critique" not in sft
    assert harm == [3, 2, 1]


@pytest.mark.paper("sun20238m7")
def test_what_is_engraved_holds_neither_principles_nor_thoughts() -> None:
    script = {"answers": {"principled": {"Be kind. x?": {"<thought>1 (kind)</thought>Sure.": 0}}}}
    made = lines("feedback/self_align", {"prompts": prompts("x?")}, script, principles="Be kind. ")
    assert made[-1].startswith("train imitation/sft on 'engraved': x? -> Sure. |")


@pytest.mark.paper("000:[6]")
@pytest.mark.parametrize("order", [("large", "policy"), ("policy", "large")])
def test_the_order_of_writers_is_the_label(order: tuple[str, str]) -> None:
    """With two writers there is one pair a prompt, whatever the answers are."""
    said = {"large": "grand", "policy": "small"}
    answers = {f"writer-{i}": {"x?": {said[role]: 0}} for i, role in enumerate(order, 1)}
    script = {"answers": {**answers, "candidates": {"x?": {"a": 1.0}}}, "weights": {"large": "big"}}
    made = lines("feedback/almost", {"prompts": prompts("x?")}, script, writers=order)
    assert f"x?: {said[order[0]]} > {said[order[1]]} |" in made[2]


@pytest.mark.paper("000:[60]")
def test_best_and_worst_of_two_are_the_pseudo_label() -> None:
    data: dict[str, Dataset] = {"prompts": prompts("x?", "y?"), "pairs": pairs(("w?", "p", "q"))}
    answers = {"answers": {"x?": {"a": 0.3, "b": 0.7}, "y?": {"c": 2.0, "d": -1.0}}}
    made = lines("feedback/west_of_n", data, {"answers": answers}, n=2)
    assert "w?: p > q; y?: c > d; x?: b > a |" in made[-1]


@pytest.mark.paper("002:Con-J")
def test_right_judgements_beat_wrong_ones_whatever_the_order_shown() -> None:
    """A judge who names both places equally often is right for both orders."""
    asked = pairs(*((f"q{i}?", "good", "poor") for i in range(8)))
    both = [f"q{i}?{x}" for i in range(8) for x in SHOWN]
    script = {"answers": {"judgements": {q: {"Verdict: A": 0, "Verdict: B": 0} for q in both}}}
    made = lines("feedback/con_j", {"pairs": asked}, script, judge="{prompt}{first}|{second}", hint="")[-1]
    for text in made.split(" on 'judgements': ")[1].split(" | policy")[0].split("; "):
        shown, _, said = text.partition(": ")
        assert said.startswith("Verdict: A >" if shown.endswith("good|poor") else "Verdict: B >")
    assert "good|poor" in made
    assert "poor|good" in made


@pytest.mark.paper("000:[23]")
def test_the_refinement_is_imitated_without_the_feedback() -> None:
    """The prompt is the bare question, though the refinement was written with draft and feedback in view."""
    answers = {
        "round-1-drafts": {"x?": {"d": 0}},
        "round-1-feedback": {"x? d critique": {"f": 0}},
        "round-1": {"x? d f refine": {"fine": 0.9, "poor": 0.1}},
    }
    made = lines(
        "rounds/ilf",
        {"prompts": prompts("x?")},
        {"answers": answers},
        rounds=1,
        critique=" {draft} critique",
        refine=" {draft} {feedback} refine",
    )
    assert made[-1].startswith("train imitation/sft on 'round 1': x? -> fine |")
