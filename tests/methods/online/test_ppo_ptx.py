import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.online.group import group

pytestmark = pytest.mark.paper("zheng2023c98", "002:InstructGPT", "hou2024tvy")

PTX, PPO, SFT = load("online/ppo_ptx"), load("online/ppo"), load("imitation/sft")
TEXT = [answer(logp=[-1.0, -2.0]), answer(logp=[-3.0])]


def on(**settings):
    return step(configure(PTX, settings), *group(), others={"pretrain": TEXT})


def test_the_loss_is_the_sum_of_ppo_and_sft():
    ppo, sft = step(PPO, *group()), step(SFT, *TEXT)
    one = on()
    assert one.metrics["loss"] == pytest.approx(ppo.metrics["loss"] + sft.metrics["loss"], abs=1e-14)
    assert one.gradient("logp") == ppo.gradient("logp")
    assert one.gradient("logp", "pretrain") == sft.gradient("logp")


def test_more_text_does_not_weaken_the_reward():
    double = step(PTX, *group(), others={"pretrain": TEXT * 2})
    assert double.gradient("logp") == on().gradient("logp")
    assert double.metrics["loss"] == pytest.approx(on().metrics["loss"], abs=1e-14)
