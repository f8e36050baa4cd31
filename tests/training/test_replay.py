"""Which answers of earlier steps come back, and how old they may be."""

from __future__ import annotations

from posttrain.records import Episode, Prompt
from posttrain.training.replay import Replay

PROMPTS = {i: Prompt(i, f"{i}?") for i in range(6)}


def group(prompt: int, version: int) -> list[Episode]:
    """Two answers that weights of this version sampled."""
    return [
        Episode.of_answer(
            PROMPTS[prompt], 0, k, (1,), (2, 3), (-0.5, -1.5), True, reward=float(k), versions=(version,) * 2
        )
        for k in range(2)
    ]


def ids(episodes: list[Episode]) -> list[int]:
    return [e.prompt.id for e in episodes[::2]]


def test_what_is_older_than_the_window_is_gone() -> None:
    replay = Replay(3, 2, seed=1)
    for step in range(6):
        ready = replay.ready(step)
        assert ready == min(step, 2)  # one prompt a step, of the last two steps
        taken = replay.take(step, ready, besides=())
        assert all(1 <= step - v <= 2 for e in taken for v in e.versions)
        replay.keep(step, [group(step, step)])


def test_no_prompt_comes_twice_and_none_that_has_fresh_answers() -> None:
    replay = Replay(4, 9, seed=1)
    replay.keep(0, [group(0, 0), group(1, 0), group(2, 0)])
    replay.keep(1, [group(0, 1), group(1, 1), group(3, 1)])
    assert replay.ready(2) == 4
    for step in range(2, 9):
        assert sorted(ids(replay.take(step, 4, besides=()))) == [0, 1, 2, 3]
        assert sorted(ids(replay.take(step, 4, besides={1, 5}))) == [0, 2, 3]
        assert len(replay.take(step, 2, besides=())) == 4
    drawn = {tuple(sorted(ids(replay.take(step, 2, besides=())))) for step in range(20)}
    assert len(drawn) > 3
    assert {e.versions[0] for step in range(20) for e in replay.take(step, 4, besides=())} == {0, 1}


def test_a_restored_buffer_draws_the_same_answers_as_they_were_sampled() -> None:
    replay, copy = Replay(2, 9, seed=1), Replay(2, 9, seed=1)
    replay.keep(0, [group(p, 0) for p in PROMPTS])
    copy.restore(replay.state(), PROMPTS)
    for step in range(1, 5):
        assert copy.take(step, 2, besides=()) == replay.take(step, 2, besides=())


def test_without_replay_nothing_is_kept() -> None:
    replay = Replay(0, 4, seed=1)
    replay.keep(0, [group(0, 0)])
    assert replay.state() == []
    assert replay.ready(1) == 0
