"""A guide as a part of a method: who writes, where the cut is, and its settings."""

import pickle

import pytest

from posttrain.catalogue.configure import configure, settings
from posttrain.core.guide import BEGINNING, END, Guide
from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import PartError
from posttrain.formulas.guides import growing_rest, random_cut
from posttrain.methods.online.ppo import METHOD as PPO

GUIDED = variant(PPO, name="guided", streams=Stream("prompts", (Sampling(guide=Guide(random_cut, writes=END)),)))


def test_a_bare_function_becomes_a_part():
    guide = Guide(random_cut)
    assert guide.cut.name == "random_cut"
    assert (guide.by, guide.writes, guide.train) == ((("guide", 1.0),), BEGINNING, False)


def test_the_cut_reads_the_length_the_chance_and_the_step():
    assert Guide(random_cut).cut_of(5, 0.0, 7) == 1
    assert Guide(random_cut).cut_of(5, 0.9, 7) is None
    assert Guide(growing_rest).cut_of(5, 0.9, 150) == 1


def test_all_writers_are_loaded():
    assert Sampling().roles == ("policy",)
    assert Sampling(guide=Guide(random_cut)).roles == ("policy", "guide")
    assert Sampling(guide=Guide(growing_rest, by=None)).roles == ("policy",)


def test_a_setting_of_the_cut_is_a_setting_of_the_method():
    assert ("guide", "random_cut", "share", 0.8) in settings(GUIDED)
    assert PPO.cuts == []
    for name in ("share", "random_cut.share", "guide.share", "guide.random_cut.share"):
        changed = configure(GUIDED, {name: 0.5})
        assert changed.streams["main"].sampling[0].guide == Guide(changed.cuts[0], writes=END)
        assert dict(changed.cuts[0].settings) == {"share": 0.5}
    with pytest.raises(PartError, match="reads no setting 'share'"):
        configure(PPO, {"share": 0.5})


def test_it_pickles_and_hashes():
    assert pickle.loads(pickle.dumps(GUIDED)) == GUIDED
    assert hash(GUIDED) != hash(configure(GUIDED, {"share": 0.5}))
