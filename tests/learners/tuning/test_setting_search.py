"""The search for settings: its prompts, what is read of replies, and random search beside it."""

from __future__ import annotations

import pytest

from posttrain.learners.speaker import Scripted
from posttrain.learners.tuning.setting_search import SettingSearch
from posttrain.learners.tuning.space import Space
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.course import Ask, Strategy
from posttrain.search.evolution.driver import Evolution
from posttrain.search.evolution.strategies.beam import beam

pytestmark = pytest.mark.paper("000-text:hyper-parameter tuning by LLM+RL")
SPACE = Space({"x": {"from": 0.0, "to": 1.0}})


def hill(settings, number):
    return "it diverged" if settings["x"] > 0.9 else -abs(settings["x"] - 0.5)


class Heard(Scripted):
    def __init__(self, *said):
        self.said, self.questions = said, []

    def answer(self, questions):
        self.questions += questions
        return [self.said[i % len(self.said)] for i in range(len(questions))]


def search(speaker=None, known=None):
    return SettingSearch(SPACE, hill, speaker or Scripted(1.0), "a hill", 0, {"x": 0.5} if known is None else known)


def evolved(one, write):
    return Evolution(write, one.evaluate).run(Strategy(beam, rounds=4, branching=2), ())


def test_a_speaker_that_knows_beats_random_search_and_one_that_does_not_is_no_better():
    one = search()
    assert evolved(one, one.write).best.value == 0.0
    drawn = evolved(one, one.random)
    assert drawn.best.value < 0
    assert len({c.text for c in drawn.candidates}) == 8
    other = search(Scripted(0.0))
    assert evolved(other, other.write).best.value < 0


def test_what_came_of_settings_is_in_the_next_prompt_the_best_last():
    archive = Archive()
    for text in ('{"x": 0.1}', '{"x": 0.4}', '{"x": 0.95}', '{"x": 0.2}'):
        archive.add(text)
    one = search()
    for c, e in zip(archive.candidates, one.evaluate(archive.candidates), strict=True):
        c.fitness, c.report = e.fitness, e.report
    assert [c.fitness for c in archive.candidates] == pytest.approx([-0.4, -0.1, None, -0.3])
    lines = one.prompt(archive).splitlines()
    assert lines[:2] == ["Tune a hill. What can be set:", "- x: a number from 0 to 1"]
    assert lines[3:-1] == [
        '{"x": 0.1} -> -0.4',
        '{"x": 0.2} -> -0.3',
        '{"x": 0.4} -> -0.1',
        '{"x": 0.95} -> it diverged',
    ]
    assert "Tried" not in one.prompt(Archive())


def test_replies_are_read_and_what_they_say_is_kept():
    heard = Heard('{"x": 1}', "much")
    made = list(search(heard).write([Ask("create", number=3), Ask("create", number=4)], Archive()))
    assert [m.text for m in made] == ['{"x": 1}', None]
    assert made[1].problem == "the reply holds no JSON object"
    assert [q.draw for q in heard.questions] == [4, 5]
    assert heard.questions[0].truth == '{"x": 0.5}'
    assert len(set(heard.questions[0].wrong)) == 3
    list(search(heard, {}).write([Ask("create", number=0)], Archive()))
    assert heard.questions[-1].truth is None


def test_a_space_of_other_settings_than_those_known_is_no_error_for_a_model():
    heard = Heard('{"x": 0.25}')
    made = [*search(heard, {"y": 1.0}).write([Ask("create", number=0)], Archive())]
    assert [m.text for m in made] == ['{"x": 0.25}']
    assert heard.questions[0].truth is None
