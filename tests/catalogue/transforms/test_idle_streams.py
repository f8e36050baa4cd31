"""A weight of 0 leaves out the stream that only its term reads."""

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load

PTX, KTO, GRPO = load("online/ppo_ptx"), load("preference/kto"), load("online/grpo")


def test_the_stream_and_its_term_go():
    off = configure(PTX, {"pretrain.weight": 0.0})
    assert (set(off.streams), "pretrain" in off.loss) == ({"main"}, False)
    assert off.loss["policy"] == PTX.loss["policy"]


def test_a_stream_that_something_else_reads_stays():
    assert set(configure(PTX, {"policy.weight": 0.0}).streams) == {"main", "pretrain"}
    assert configure(KTO, {"beta": 0.2}).streams == KTO.streams
    assert "kl" in configure(GRPO, {"kl.weight": 0.0}).loss
