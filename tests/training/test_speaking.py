"""Speakers of a run: models and servers that answer questions, once, and scripts that say so."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.speaker import Question, Scripted
from posttrain.roles.endpoint import EndpointRole
from posttrain.training.speaking import Kept, RoleSpeaker, lettered, read, speaker

FRUIT = Question("Which is sweet?", ("apple", "stone"), "stone")  # what is true is none of a model's business
MOVES = Question("Where?", ("up", "under"))
FREE = Question("Say something.")


def role(spec=None):
    made = Mock(spec=spec) if spec else Mock()
    made.choose.side_effect = lambda asked, options: [[0.75] + [0.25 / (len(o) - 1)] * (len(o) - 1) for o in options]
    made.ask.side_effect = lambda asked, **how: [[f"A. {len(asked)}"] for _ in asked]
    return made


def test_a_model_chooses_and_writes():
    model = role()
    made = RoleSpeaker(model, Kept(None), max_tokens=5, about=lambda: "m")
    assert made.answer([FREE, FRUIT, MOVES]) == ["A. 1", "apple", "up"]
    assert made.probabilities([MOVES]) == [(0.75, 0.25)]
    (asked, options), _ = model.choose.call_args
    assert options == [("apple", "stone"), ("up", "under")]  # asked once, together
    assert asked[0][0]["content"] == "Which is sweet?\n\nAnswer with one of these:\napple\nstone"
    assert model.ask.call_args.kwargs == {"max_tokens": 5, "temperature": 0.0, "seed": 0}


def test_every_draw_is_a_reply_of_its_own_at_temperature_1():
    model = role()
    made = RoleSpeaker(model, Kept(None), max_tokens=5, about=lambda: "m")
    drawn = [replace(FREE, draw=n) for n in (2, 0, 3, 2)]
    assert made.answer([*drawn, Question("More.", draw=2)]) == ["A. 2", "A. 1", "A. 1", "A. 2", "A. 2"]
    calls = [(len(c.args[0]), c.kwargs["temperature"], c.kwargs["seed"]) for c in model.ask.call_args_list]
    assert calls == [(2, 1.0, 2), (1, 0.0, 0), (1, 1.0, 3)]


def test_a_server_is_asked_for_a_letter_where_first_letters_are_alike():
    server = role(EndpointRole)
    made = RoleSpeaker(server, Kept(None), max_tokens=5, about=lambda: "s")
    assert made.answer([MOVES]) == ["up"]
    (asked,), _ = server.ask.call_args
    assert asked[0][0]["content"] == "Where?\n\nAnswer with one of these letters:\nA. up\nB. under"
    assert made.probabilities([MOVES, FRUIT]) == [(0.75, 0.25), (0.75, 0.25)]
    assert server.choose.call_args.args[1] == [("A", "B"), ("apple", "stone")]
    with pytest.raises(ConfigError, match="27 options"):
        lettered(Question("?", tuple(f"o{i}" for i in range(27))))


@pytest.mark.parametrize(
    ("question", "reply", "answer"),
    [
        (FRUIT, " Apple.", "apple"),
        (FRUIT, "stone, since it is one", "stone"),
        (FRUIT, "a pear", None),
        (FRUIT, "", None),
        (FRUIT, "apples", None),
        (MOVES, "b", "under"),
        (MOVES, "B. under", "under"),
        (MOVES, "under", "under"),
        (MOVES, "A up", "up"),
        (MOVES, "A - up", "up"),
        (MOVES, "A good question", None),
        (Question("Wo?", ("Straße", "Wald")), "Straße.", "Straße"),
        (Question("Wo?", ("Straße", "Wald")), "STRASSE, denn", "Straße"),
        (MOVES, "But up", None),
        (FREE, "  words ", "words"),
        (FREE, " ", None),
    ],
)
def test_replies_are_read_or_are_none(question, reply, answer):
    assert read(question, reply) == answer


def test_nothing_is_asked_twice_even_by_a_later_attempt(tmp_path):
    model, file = role(), tmp_path / "kept" / "speaker.jsonl"
    first = RoleSpeaker(model, Kept(file), max_tokens=5, about=lambda: "m")
    assert first.answer([FREE, FRUIT]) == first.answer([FREE, FRUIT])
    file.write_text(file.read_text() + '["half of a li')
    again = RoleSpeaker(model, Kept(file), max_tokens=5, about=lambda: "m")
    assert again.answer([FREE, FRUIT]) == ["A. 1", "apple"]
    assert model.ask.call_count == model.choose.call_count == 1
    RoleSpeaker(model, Kept(file), max_tokens=5, about=lambda: "another model").answer([FREE])
    assert model.ask.call_count == 2


def test_a_kill_at_any_byte_loses_one_reply_at_most(tmp_path):
    whole, file = tmp_path / "whole", tmp_path / "cut"
    for kept, replies in ((Kept(whole), ([0.25, 0.75], "süß\u2028")), (Kept(whole), ("é",))):
        for reply in replies:
            kept.add(f'["{reply}", "x"]', reply)
    known, written = Kept(whole).replies, whole.read_bytes()
    assert len(known) == 3
    for end in range(len(written) + 1):
        file.write_bytes(written[:end])
        kept = Kept(file)
        assert kept.replies.items() <= known.items()
        assert len(kept.replies) >= written[:end].count(b"\n") - 1  # the first line says what the file is
        kept.add("after", "it")
        assert Kept(file).replies == kept.replies


def run(**models):
    file = SimpleNamespace(models=models, seed=1, sampling=SimpleNamespace(max_tokens=4))
    return SimpleNamespace(
        file=file, display=Mock(), journal=SimpleNamespace(folder=None, steps=3), speaker=lambda role: role
    )


def test_a_script_says_that_it_is_one():
    entry = SimpleNamespace(scripted=SimpleNamespace(accuracy=0.8, seed=0), shared=False)
    asked = run(speaker=entry)
    assert isinstance(speaker(asked, "speaker"), Scripted)
    asked.display.note.assert_called_once()
    assert "right with probability 0.8 stands in" in asked.display.note.call_args.args[0]


def test_the_policy_can_speak_and_is_asked_anew_after_a_step():
    asked = run()
    made = speaker(asked, "policy")
    assert made.role == "policy"
    before = made.about()
    asked.journal.steps = 4
    assert made.about() != before


def test_nobody_to_ask():
    with pytest.raises(ConfigError, match=r"models.speaker: there is nobody to ask; name a model.*scripted"):
        speaker(run(), "speaker")
