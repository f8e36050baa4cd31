"""Rewards that judge turns and spans: what is accepted, how it travels, and at which sampled tokens it arrives."""

from __future__ import annotations

import pytest

from posttrain.data.collate import collate, episode_columns, episode_row
from posttrain.records import Episode, Prompt, Segment, Span
from posttrain.rewards.credits import place, turn_credits, with_credits
from posttrain.rewards.reward import resolve
from posttrain.rewards.scorer import Scorer
from posttrain.rewards.verdicts import Spans, Turns
from posttrain.rewards.workers.call import Fault
from posttrain.rewards.workers.outcome import from_wire, to_wire, verdicts

ASKED = Prompt(1, "2+2?")


def episode(*texts: str, tool: bool = False) -> Episode:
    """A turn of one token for every two characters; with a tool's answer of three tokens between turns."""
    segments = [Segment(tuple(range(len(t) // 2)), (-1.0,) * (len(t) // 2), text=t) for t in texts]
    if tool:
        segments.insert(1, Segment((7, 7, 7), None, None, "tool"))
    return Episode(ASKED, 0, 0, (5, 6), tuple(segments))


def ends(tokens):
    return [2 * (i + 1) for i in range(len(tokens))]


def halves(completions):
    return [Spans([(0, 2, 1.0), (2, len(c), -0.5)]) for c in completions]


def each_turn(completions):
    return [Turns([0.25, 0.5]) for _ in completions]


def test_the_value_of_a_span_is_at_the_first_token_with_which_it_is_complete():
    assert place([Span(0, 1, 1.0)], ends(range(4))) == (1.0, 0, 0, 0)
    assert place([Span(0, 2, 1.0)], ends(range(4))) == (1.0, 0, 0, 0)
    assert place([Span(0, 3, 1.0), (Span(3, 4, -2.0))], ends(range(4))) == (0, -1.0, 0, 0)
    assert place([Span(0, 8, 3.0)], ends(range(4))) == (0, 0, 0, 3.0)


def test_spans_of_a_later_turn_skip_what_a_tool_wrote():
    judged = with_credits(
        Episode(**{**vars(episode("abcd", "efgh", tool=True)), "spans": {"r": (Span(4, 6, 2.0),)}}), ends
    )
    assert judged.credits == {"r": (0, 0, 0, 0, 0, 2.0, 0)}
    assert judged.spans == {}


def test_a_turns_number_is_at_its_last_token():
    assert turn_credits(episode("abcd", "ef", tool=True), [1.0, 3.0]) == (0, 1.0, 0, 0, 0, 3.0)


def test_the_reward_is_the_sum_and_the_numbers_arrive_at_tokens():
    with Scorer([resolve(halves), resolve({"path": f"{__file__}:each_turn", "weight": 2.0})]) as scorer:
        (judged,) = scorer.score([episode("abcd", "efgh")])
    assert judged.rewards == {"halves": 0.5, "each_turn": 0.75}
    assert judged.reward == pytest.approx(0.5 + 2 * 0.75)
    judged = with_credits(judged, ends)
    assert judged.credits == {"halves": (1.0, 0, 0, -0.5), "each_turn": (0, 0.25, 0, 0.5)}
    names = {"reward_halves": "B", "token_reward_each_turn": "T", "turn": "T", "margin": "B"}
    wanted = episode_columns(names, ["halves", "each_turn"])
    assert wanted == {"reward_halves", "token_reward_each_turn", "turn"}
    batch = collate([episode_row(judged, train=True, temperature=1.0, step=0, wanted=wanted)])
    assert batch["reward_halves"].tolist() == [0.5]
    assert batch["token_reward_each_turn"].tolist() == [0, 0, 0, 0.25, 0, 0.5]
    assert batch["turn"].tolist() == [0, 0, 0, 0, 1, 1]
    assert batch["reward"].tolist() == [2.0]


def test_a_tools_tokens_are_neither_written_nor_trained():
    row = episode_row(episode("abcd", "ef", tool=True), train=True, temperature=1.0, step=0)
    assert row.written == row.trained == (False, False, True, True, False, False, False, True)
    assert row.columns["rollout_logp"] == (0, 0, -1.0, -1.0, 0, 0, 0, -1.0)


@pytest.mark.parametrize("wrong", [Turns([1.0]), Spans([(0, 9, 1.0)]), Turns([])])
def test_what_does_not_fit_the_episode_is_a_failure_and_no_score(wrong):
    def reward(completions):
        return [wrong for _ in completions]

    with Scorer([resolve(reward)], max_error_rate=1.0) as scorer:
        (judged,) = scorer.score([episode("abcd", "efgh")])
        assert scorer.metrics()["errors/reward_reward"] == 1
    assert judged.reward is None
    assert judged.rewards == {"reward": None}


@pytest.mark.parametrize(
    "made", [lambda: Turns([float("nan")]), lambda: Spans([(3, 2, 1.0)]), lambda: Spans([(0, 1, "x")])]
)
def test_numbers_and_places_are_checked(made):
    with pytest.raises(ValueError, match="is no score|a span from"):
        made()


def test_they_travel_to_and_from_a_worker():
    sent = [1.0, None, Turns([0.5, 1.0]), Spans([(0, 3, -1.0)]), Fault("raised", "no")]
    assert from_wire(to_wire(sent), 5) == sent
    for bad in ({"turns": ["x"]}, {"spans": [[2, 1, 0.0]]}, {"turns": [1.0], "more": 1}, {"other": 1}):
        with pytest.raises(ValueError):
            from_wire({"verdicts": [bad]}, 1)
    assert verdicts("r", [{"turns": [1, 2]}], 1) == [Turns([1.0, 2.0])]
    (fault,) = verdicts("r", [{"turns": "x"}], 1)
    assert fault.kind == "result"
