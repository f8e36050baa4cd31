"""Pairs of turns in chains of calls, and the share of calls that were malformed."""

from dataclasses import replace

import pytest

from posttrain.records import Prompt, Sampled, Segment
from posttrain.seeds import seed_for
from posttrain.selection.answers import identity
from posttrain.selection.chains import malformed, turn_pairs, turns_of
from tests.harness.scripted_session import episode

TOOL = {"function": {"name": "f"}}
ASKED = Prompt(1, "x?", {}, "file:1", {"tools": ["of the file"], "documents": ["d"]})


def user(text):
    return {"role": "user", "content": text}


def says(text):
    return {"role": "assistant", "content": text}


def chain(reward, *turns, sample=0, tools=(TOOL,), infos=(), prompt=ASKED):
    """A conversation with an example before it; the environment answers each turn with the turn in capitals."""
    conversation, segments = [user("e?"), says("e"), user("x?")], []
    for text in turns:
        conversation += [says(text), user(text.upper())]
        said = Segment(tuple(text.encode()), (-0.5,) * len(text), 0, text)
        segments += [said, Segment((9,), None, None, text.upper(), trained=False)]
    made = episode(prompt, "", reward, sample=sample)
    notes = {"environment": list(infos)} if infos else {}
    return replace(made, segments=tuple(segments), conversation=tuple(conversation), tools=tools, notes=notes)


RIGHT, FAILED, LOST = chain(1.0, "a", "b"), chain(0.0, "a", "c", sample=1), chain(0.5, "d", "b", sample=2)


def shown(pairs):
    return [(p.chosen.text, p.rejected.text, len(p.prompt)) for p in pairs]


def test_turns_are_compared_behind_the_same_messages():
    """The failed chain's first turn is that of the right one, so that its second one is to blame."""
    pairs = turn_pairs([RIGHT, FAILED, LOST], 0.5)
    assert shown(pairs) == [("a", "d", 3), ("b", "c", 5)]
    first, second = pairs
    assert first.prompt == RIGHT.conversation[:3]
    assert second.prompt == RIGHT.conversation[:5]
    assert (first.chosen, first.rejected) == (Sampled((97,), "a"), Sampled((100,), "d"))
    assert (first.where, first.arguments) == ("file:1", {"tools": [TOOL], "documents": ["d"]})
    assert first.columns == {"chosen_reward": 1.0, "rejected_reward": 0.5}
    assert (first.id, second.id) == (
        seed_for("turns", identity(RIGHT, LOST), 3),
        seed_for("turns", identity(RIGHT, FAILED), 5),
    )


def test_the_threshold_and_chains_without_a_score():
    assert shown(turn_pairs([RIGHT, FAILED, LOST])) == [("b", "c", 5)]
    assert turn_pairs([RIGHT, replace(FAILED, reward=None)]) == []
    assert turn_pairs([FAILED]) == turn_pairs([RIGHT]) == []


def test_no_text_is_in_two_pairs_of_a_place():
    chains = [chain(1.0, "a"), chain(1.0, "b", sample=1), chain(1.0, "a", sample=2), chain(0.0, "c", sample=3)]
    assert shown(turn_pairs(chains)) == [("a", "c", 3)]
    chains += [chain(0.0, "c", sample=4), chain(0.0, "d", sample=5), chain(0.0, "e", sample=6)]
    assert shown(turn_pairs(chains)) == [("a", "c", 3), ("b", "d", 3)]


def test_chains_of_other_prompts_and_other_arguments():
    other = replace(ASKED, id=2)
    assert turn_pairs([RIGHT, chain(0.0, "z", prompt=other)]) == []
    (pair,) = turn_pairs([chain(1.0, "a", tools=()), chain(0.0, "b", sample=1)])
    assert pair.arguments == {"documents": ["d"]}  # the tools stand in the conversation


def test_an_answer_outside_an_environment_is_one_turn():
    (turn,) = turns_of(episode(ASKED, "yes", 1.0))
    assert (turn.before, turn.said.text) == ("x?", "yes")
    (pair,) = turn_pairs([episode(ASKED, "yes", 1.0), episode(ASKED, "no", 0.0, sample=1)])
    assert (pair.prompt, pair.chosen.text, pair.rejected.text) == ("x?", "yes", "no")
    assert pair.arguments == ASKED.arguments


def test_the_share_of_malformed_calls():
    infos = [{"calls": 4, "unread": 1, "raised": 2}, {"calls": 3, "arguments": 1, "unknown": 1}, {}]
    chains = [chain(0.0, "a", infos=infos), chain(1.0, "a", infos=[{"calls": 1}]), RIGHT]
    assert malformed(chains) == {"malformed_calls": pytest.approx(3 / 8)}
    assert malformed([RIGHT]) == malformed([chain(1.0, "a", infos=[{"unread": 0}])]) == {}
