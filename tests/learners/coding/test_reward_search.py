"""The search for reward code: what is asked, evaluated and compared, with scripts as speakers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from posttrain.learners.coding.reward_search import NO_PROGRAM, RewardSearch
from posttrain.learners.q_learning import Settings
from posttrain.learners.speaker import Scripted
from posttrain.learners.worlds.chain import Chain
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.plain import Plain
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate
from posttrain.search.evolution.course import Ask, Match
from posttrain.search.evolution.elo import START

SEARCH = RewardSearch(
    Chain(length=4), Scripted(1.0), Settings(episodes=10, horizon=20), 0, Plain(), Limits(seconds=20.0)
)


class Heard:
    """Remembers what it is asked, and says what it is told to."""

    def __init__(self, *said):
        self.said, self.questions = said, []

    def answer(self, questions):
        self.questions += questions
        return [self.said[i % len(self.said)] for i in range(len(questions))]


def evaluated(search, *texts):
    archive = Archive()
    for text in texts:
        archive.add(text)
    for c, e in zip(archive.candidates, search.evaluate(archive.candidates), strict=True):
        c.fitness, c.report = e.fitness, e.report
    return archive


GOOD = "def reward(s, a, t):\n    return t['state'] - s['state']\n"
AWAY = "def reward(s, a, t):\n    return s['state'] - t['state']\n"
BROKEN = "def reward(s, a, t):\n    return s['goal']\n"


def test_every_wish_is_a_draw_of_its_own_with_the_programs_it_is_made_of():
    heard = Heard("```python\n" + GOOD + "```", "I cannot.")
    search = replace(SEARCH, speaker=heard)
    archive = evaluated(search, GOOD, BROKEN)
    made = list(search.write([Ask("cross", (0, 1), number=7), Ask("create", number=8)], archive))
    assert [m.text for m in made] == [GOOD, None]
    assert [m.problem for m in made] == ["", NO_PROGRAM]
    assert [q.draw for q in heard.questions] == [8, 9]
    assert [m.asked for m in made] == [q.text for q in heard.questions]
    assert GOOD in made[0].asked
    assert "KeyError: 'goal'" in made[0].asked
    assert GOOD not in made[1].asked
    assert list(SEARCH.write([Ask("create", number=0)], archive))[0].text == heard.questions[0].truth.strip() + "\n"


def test_the_fitness_is_the_return_and_a_failure_has_none():
    good, away, broken = evaluated(SEARCH, GOOD, AWAY, BROKEN).candidates
    assert good.value > away.value
    assert good.report["return"] == good.fitness
    assert good.report["behaviour"].startswith(SEARCH.world.describe(0))
    assert (broken.fitness, broken.report) == (None, {"problem": "raised KeyError: 'goal'"})
    assert SEARCH.tried(None, 3).curves.keys() == {"return", "length"}


@pytest.mark.paper("hazra2024wjp")
def test_a_judge_compares_behaviours_and_the_fitness_is_a_rating():
    search = replace(SEARCH, judge=Scripted(1.0))
    archive = evaluated(search, GOOD, AWAY)
    assert [c.fitness for c in archive.candidates] == [START, START]
    assert archive[0].report["return"] > archive[1].report["return"]
    pairs = [Match(0, 1), Match(1, 0), Match(0, 0)]
    assert list(search.compare(pairs, archive)) == [1.0, 0.0, 0.5]
    assert list(replace(search, judge=Heard(None, "second")).compare(pairs[:2], archive)) == [None, 0.0]
    (one, other) = (archive[n].report["behaviour"] for n in (0, 1))
    heard = Heard("first")
    list(replace(search, judge=heard).compare(pairs[:1], archive))
    assert heard.questions[0].text.index(one) < heard.questions[0].text.index(other)


@pytest.mark.paper("002:TEXT2REWARD")
def test_a_critic_is_asked_about_each_parent_that_works_once():
    critic = Heard("It must turn.")
    heard = Heard(GOOD)
    search = replace(SEARCH, critic=critic, speaker=heard)
    archive = evaluated(search, GOOD, BROKEN)
    list(
        search.write(
            [Ask("improve", (0,), number=2), Ask("cross", (0, 1), number=3), Ask("repair", (1,), number=4)], archive
        )
    )
    assert len(critic.questions) == 1
    assert archive[0].report["behaviour"] in critic.questions[0].text
    assert ["It must turn." in q.text for q in heard.questions] == [True, True, False]
    assert critic.questions[0].truth in ("It ended.", "It must get on.")
    still = Candidate(0, GOOD, fitness=0.0, report={"curves": {"return": [0.0]}, "behaviour": "a\nIt did not end."})
    list(search.write([Ask("improve", (0,), number=2)], Archive([still])))
    assert critic.questions[-1].truth == "It must get on."
