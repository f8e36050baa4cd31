"""Episodes and their segments; one answer is the case of one segment."""

from __future__ import annotations

from posttrain.records import Episode, Prompt, Segment
from posttrain.runs.rounds import as_episodes, as_row
from posttrain.runs.samples import row

ASKED = Prompt(4, "1+1=")
TURNS = (
    Segment((1, 2), (-0.5, -1.0), 0, "ca", versions=(3, 3)),
    Segment((9, 9, 9), None, None, "<tool>", trained=False),
    Segment((5,), (-2.0,), 0, "2", ended=False, versions=(4,), reward=1.0),
)


def test_one_answer_is_an_episode_of_one_segment() -> None:
    e = Episode.of_answer(ASKED, 1, 2, (7, 8), (1, 2), (-0.5, -1.0), True, "ab", 0.5, {"r": 0.5}, (3, 3))
    assert e.segments == (Segment((1, 2), (-0.5, -1.0), 1, "ab", True, versions=(3, 3)),)
    assert (e.tokens, e.logp, e.versions, e.text, e.ended) == ((1, 2), (-0.5, -1.0), (3, 3), "ab", True)
    assert "segments" not in as_row(e)
    assert as_episodes([as_row(e)], [ASKED]) == [e]
    assert "segments" not in row(1, e, None)


def test_segments_lie_end_to_end_and_what_no_model_sampled_has_no_log_prob() -> None:
    e = Episode(ASKED, 0, 0, (7,), TURNS)
    assert e.tokens == (1, 2, 9, 9, 9, 5)
    assert e.logp == (-0.5, -1.0, 0.0, 0.0, 0.0, -2.0)
    assert e.versions == (3, 3, 4)
    assert e.text == "ca2"
    assert not e.ended


def test_they_survive_as_plain_data_and_are_shown_turn_by_turn() -> None:
    e = Episode(ASKED, 0, 0, (7,), TURNS, credits={"r": (0.0, 1.0, 0.0, 0.0, 0.0, 0.5)})
    assert as_episodes([as_row(e)], [ASKED]) == [e]
    shown = row(1, e, None)["segments"]
    assert [(s["author"], s["text"], s["tokens"]) for s in shown] == [(0, "ca", 2), (None, "<tool>", 3), (0, "2", 1)]
