"""Suites on a model: what it reads, what is kept, and judges."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from posttrain.config.load import load
from posttrain.errors import ConfigError, DataError
from posttrain.evaluation.suite import Judging, Suite, continued, user
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from posttrain.training.suites import as_read, asked, ids, load_suite, measure_suite, verdict

PROMPTS = [Prompt(i, user(f"{i}+1="), {"options": ("1", "22")}) for i in range(2)]
MINE = """
from posttrain.evaluation.suite import Suite, user
from posttrain.records import Prompt


def mine(*, size: int = 1, same: bool = False):
    prompts = [Prompt(0 if same else i, user("1+1=")) for i in range(size)]
    return Suite(prompts, {"letters": lambda item: float(len(item.text))}, max_tokens=2)


def wrong():
    return 1
"""


@pytest.fixture(scope="module")
def run():
    with open_session(load({"model": "tiny"}, complete=False), write=False) as session:
        yield session.run


def test_a_conversation_goes_on_with_what_the_model_wrote(run):
    suite = Suite(PROMPTS, follow=lambda items: [continued(i, "and?") for i in items], turns=2, max_tokens=2)
    found = measure_suite(run, "s", suite)
    assert [len(i.replies) for i in found.items] == [2, 2]
    first, second = found.items[0].replies
    assert [m["content"] for m in second.asked] == ["0+1=", first.text, "and?"]
    assert second.read > first.read
    assert found.cost.written <= 8
    assert measure_suite(run, "s", suite).items == found.items


def test_words_that_begin_the_answer_are_read_behind_the_question(run):
    begun = (*user("Say"), {"role": "assistant", "content": "Sure,"})
    suites = [Suite([Prompt(0, question)], max_tokens=1) for question in (user("Say"), begun)]
    alone, continued_ = (asked(run, "s", suite)[0].replies[0].read for suite in suites)
    assert continued_ == alone + len("Sure,")  # of the tiny model a token is a byte


def test_a_model_without_a_chat_template_reads_plain_text():
    plain = cast(Any, SimpleNamespace(encoder=SimpleNamespace(template=SimpleNamespace(source=""))))
    begun = (*user("Say"), {"role": "assistant", "content": "Sure,"})
    assert as_read(plain, "Say") == as_read(plain, user("Say")) == "Say"
    assert as_read(plain, begun) == "Say Sure,"
    assert as_read(plain, (*begun, *user("No"))) == "user: Say\n\nassistant: Sure,\n\nuser: No\n\nassistant:"


def test_a_forced_beginning_is_a_part_of_the_reply():
    begun = load({"model": "tiny", "sampling": {"begin": "So: "}}, complete=False)
    with open_session(begun, write=False) as session:
        (item,) = asked(session.run, "s", Suite(PROMPTS[:1], max_tokens=6, extract=len))
    assert item.text.startswith("So: ")
    assert item.replies[0].answer == len(item.text)
    assert len(item.replies[0].logp) <= 2  # of six tokens four are given


def test_samples_differ_and_are_the_same_every_time(run):
    suite = Suite(PROMPTS[:1], samples=3, temperature=1.0, max_tokens=4)
    texts = [i.text for i in asked(run, "s", suite)]
    assert len(set(texts)) == 3
    assert texts == [i.text for i in asked(run, "s", suite)] != [i.text for i in asked(run, "other", suite)]


def test_options_are_compared_and_nothing_is_written(run):
    found = measure_suite(run, "s", Suite(PROMPTS, options="options"))
    for item in found.items:
        (reply,) = item.replies
        assert sum(reply.probabilities) == pytest.approx(1.0)
        assert reply.answer == ("1", "22")[reply.probabilities.index(max(reply.probabilities))]
    assert found.cost.written == 0


def test_a_judge_is_asked_once_for_each_item_and_only_its_words_are_verdicts(run):
    judged = Suite(PROMPTS, judge=Judging(lambda item: ["yes?"] * 2, ("yes", "no")), max_tokens=1)
    with pytest.raises(ConfigError, match=r"name the judge: models: \{judge"):
        asked(run, "s", judged)
    with open_session(load({"model": "tiny", "models": {"judge": "tiny"}}, complete=False), write=False) as session:
        assert [i.verdicts for i in asked(session.run, "s", judged)] == [(None, None)] * 2  # it writes no words
    assert verdict("Well, NO: yes would be wrong", ("yes", "no")) == "no"
    assert verdict("nothing, yesterday", ("yes", "no")) is None


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("B.", "B"),
        ("Answer A", "A"),
        ("It is a tie.", "TIE"),
        ("A tie", "TIE"),
        ("I give a B", "B"),
        ("a better b", None),
    ],
)
def test_an_article_is_no_verdict(reply, said):
    assert verdict(reply, ("A", "B", "TIE")) == said


def test_a_suite_is_loaded_by_its_path(tmp_path: Path):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "wrong.py").write_text(MINE)
    mine = str(tmp_path / "mine.py")
    assert len(load_suite(mine, {"size": 3}).prompts) == 3
    assert load_suite("chain_of_thought", {"size": 1, "shots": 0}).max_tokens == 256
    assert len(load_suite("forced_prefix", {"size": 1, "forced": [1, 3]}).prompts) == 4  # a list, as YAML has it
    with pytest.raises(DataError, match="the suite reads the column 'leve', which is missing; columns "):
        load_suite("multiple_choice", {"size": 1, "group": "leve"})
    for path, settings, error in (
        (mine, {"sizes": 3}, "unknown setting .did you mean 'size'"),
        (mine, {"size": 2, "same": True}, "each with an id of its own"),
        (mine, {"size": 0}, "it needs questions"),
        ("forced_prefix", {"forced": [1, "x"]}, "valid integer"),
        (str(tmp_path / "wrong.py"), {}, "returns int, not a Suite"),
        ("chain_of_thougt", {}, "no suite 'chain_of_thougt'"),
    ):
        with pytest.raises(ConfigError, match=error):
            load_suite(path, settings)


@pytest.mark.paper("000:[62]")
def test_ids_follow_the_data_and_how_they_are_asked(run):
    one, two = Suite(PROMPTS), Suite(PROMPTS, ask=lambda p: user("Please: " + str(p.id)), max_tokens=1)
    assert ids(one)["data"] == ids(two)["data"] != ids(Suite(PROMPTS[:1]))["data"]
    assert ids(one)["asked"] != ids(two)["asked"]
    judged = [Suite(PROMPTS, judge=Judging(lambda item: ["?"], options)) for options in (("yes", "no"), ("no", "yes"))]
    assert len({ids(s)["asked"] for s in (one, *judged)}) == 3
    assert ids(one)["asked"] != ids(Suite(PROMPTS, plain=True))["asked"]
    for path, settings in (
        ("chain_of_thought", {"shots": 0}),
        ("attractors", {"kept": 2}),
        ("role_play", {"system": False}),
    ):
        plain, changed = ids(load_suite(path, {})), ids(load_suite(path, settings))
        assert plain == ids(load_suite(path, {}))
        assert (plain["data"], plain["asked"] != changed["asked"]) == (changed["data"], True), path
    three = Suite(PROMPTS, ask=lambda p: user("Kindly: " + str(p.id)), max_tokens=1)
    assert measure_suite(run, "s", two).ids["read"] != measure_suite(run, "s", three).ids["read"]
