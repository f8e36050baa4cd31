"""What searches over prompts share: scores of prompts, rewards of a writer, and who writes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.speaker import Scripted
from posttrain.procedures.prompting import Task, Writer, compared
from tests.harness.scripted_session import ScriptedSession, episode, prompts

ASKED = prompts("1+1?", "2+3?", answer=["yes", "no"])
LABELS = (" yes", " no")


class Asked(ScriptedSession):
    """A session whose models answer at once, and whose rewards give the number that an answer is."""

    def __init__(self, **how):
        super().__init__(**how)
        self.run.file.sampling.max_tokens = 9
        self.run.speaker = lambda role: self.role
        self.role = SimpleNamespace(choose=self.chosen, ask=self.asked)
        self.seen = []

    def chosen(self, conversations, labels):
        self.seen.append(list(conversations))
        return [[0.6, 0.4] if "well" in c else [0.3, 0.7] for c in conversations]

    def asked(self, conversations, *, samples, max_tokens, temperature, seed):
        self.seen.append((samples, max_tokens, temperature))
        return [[str(len(c) + k) for k in range(samples)] for c in conversations]

    def score(self, episodes):
        return [
            episode(e.prompt, e.text, None if e.prompt.id and "silent" in e.text else float(e.text)) for e in episodes
        ]


def test_a_writer_earns_the_mean_gap_of_its_own_examples():
    session = Asked()
    task = Task.of(session, ASKED, solver="able", labels=LABELS)
    assert task.earned(["well", "bad"], [[0, 1], [1]]) == pytest.approx([(200 * 0.2 - 180 * 0.2) / 2, 200 * 0.4])
    assert session.seen == [["well\n1+1?", "well\n2+3?"], ["bad\n2+3?"]]


def test_without_labels_it_earns_the_rewards_of_answers():
    session = Asked()
    assert Task.of(session, ASKED, samples=2, max_tokens=5).earned(["ab"], [[0]]) == [7.5]
    assert Task.of(session, ASKED).earned(["ab"], [[0, 1]]) == [7.0]
    assert session.seen == [(2, 5, 1.0), (1, 9, 0.0)]
    assert Task.of(session, ASKED, samples=4).earned(["ab"], [[0]], groups=1)[0] > 8.5


def test_what_was_not_scored_is_no_score():
    session = Asked(scores=lambda e: None, speaker=lambda role, asked: "1")
    session.score = lambda episodes: [episode(e.prompt, e.text, None) for e in episodes]
    task = Task.of(session, ASKED)
    assert task.earned(["x"], [[0, 1]]) == [None]
    assert task.scores("x", "x") == {}
    assert compared(session, {}, {0: 1.0}) == {}
    assert "not compared" in session.transcript[-1]


def test_a_label_that_there_is_not_is_an_error_before_anything_is_asked():
    with pytest.raises(ConfigError, match="file:1: the answer 'no' is none of the labels ' yes', ' maybe'"):
        Task.of(Asked(), ASKED, labels=(" yes", " maybe"))
    with pytest.raises(ConfigError, match="labels: there is only 'yes'; give at least 2"):
        Task.of(Asked(), prompts("1?", answer=["yes"]), labels=("yes",))
    with pytest.raises(ConfigError, match=r"add data.prompts, or planted"):
        Task.of(Asked(), None)


def test_planted_sentences_stand_in_for_everything():
    task = Task.of(Asked(), None, ("Think.", "Check."))
    assert task.earned(["Think.", "Think. Check."], [[], []]) == [0.5, 1.0]
    assert task.on(None) == task
    assert Task.of(Asked(), ASKED).on(None) is None


def test_examples_are_shown_in_turn():
    task = Task.of(Asked(), prompts("a", "b", "c", answer=[1, 2, 3]))
    assert task.shown(2, 0) == "Input: a\nOutput: 1\n\nInput: b\nOutput: 2"
    assert task.shown(2, 1) == "Input: c\nOutput: 3\n\nInput: a\nOutput: 1"
    assert task.shown(0) == ""


@pytest.mark.parametrize(("accuracy", "better"), [(1.0, 20), (0.0, 0)])
def test_a_script_adds_what_is_planted_where_it_is_right(accuracy, better):
    session = Asked()
    session.run.file.models = {"speaker": SimpleNamespace(scripted=SimpleNamespace(accuracy=accuracy))}
    session.speaker = lambda role: Scripted(accuracy)
    writer = Writer(Task.of(session, None, ("Think.", "Check.")), "speaker", "Improve {prompt}")
    made = [writer.improved(f"try {i}", "Go.", i) for i in range(20)]
    assert sum(text in ("Go. Think.", "Go. Check.") for text, _ in made) == better
    assert {asked for _, asked in made} == {"Improve Go."}
