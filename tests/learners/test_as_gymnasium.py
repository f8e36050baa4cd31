"""Worlds as environments of gymnasium: what its checker demands, and the help that is added to the reward."""

from __future__ import annotations

import sys

import pytest

from posttrain.errors import MissingExtraError
from posttrain.learners.as_gymnasium import as_gymnasium
from posttrain.learners.worlds.chain import Chain


def test_it_passes_gymnasiums_own_check():
    pytest.importorskip("gymnasium")
    from gymnasium.utils.env_checker import check_env

    check_env(as_gymnasium(Chain(length=4)), skip_render_check=True)


class Unsure:
    def begin(self, state, episode):
        pass

    def __call__(self, step):
        return None


def test_an_episode_with_help():
    pytest.importorskip("gymnasium")

    class Bonus:
        begun = ()

        def begin(self, state, episode):
            self.begun = (state, episode)

        def __call__(self, step):
            return 10.0 * (step.time == 1)

    bonus = Bonus()
    env = as_gymnasium(Chain(length=3, slip=0.0), extras=[bonus], horizon=5)
    assert env.reset(seed=0) == (0, {})
    assert bonus.begun == (0, 0)
    assert env.step(1) == (1, 0.0, False, False, {})
    assert env.step(1) == (2, 11.0, True, False, {"return": 0.95})
    env.reset()
    assert bonus.begun == (0, 1)
    unsure = as_gymnasium(Chain(length=3), extras=[bonus, Unsure()])
    unsure.reset(seed=0)
    unsure.step(0)
    assert unsure.step(0)[1::3] == (0.01, {"unknown": True})
    assert [env.step(0)[3] for _ in range(5)] == [False] * 4 + [True]


def test_without_gymnasium_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[gymnasium\]"):
        as_gymnasium(Chain())
