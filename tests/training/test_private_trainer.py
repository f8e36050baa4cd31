"""What mixes records is found by what it computes: the whole batch against each record alone."""

from dataclasses import replace

import pytest

from posttrain.catalogue.index import load
from posttrain.core.method import variant
from posttrain.core.parts import PerRow, PerToken, part
from posttrain.core.plan import plan
from posttrain.core.rows import Rows
from posttrain.errors import ConfigError
from posttrain.training.private_records import tied
from posttrain.training.private_trainer import PrivateTrainer
from tests.harness.cases import RATE, ROLES, Case
from tests.harness.recorder import Recorder

pytestmark = [pytest.mark.usefixtures("float64"), pytest.mark.paper("wu2023pjz")]


def centred(reward: PerRow, rows: Rows) -> PerToken:
    """Reward less the mean of the batch."""
    return rows.spread(reward - reward.mean())


RLOO = load("online/rloo")
MIXED = {
    "whitening": (load("online/ppo"), "advantage"),
    "the mean of a batch": (variant(RLOO, derived={"advantage": part(centred)}), "advantage"),
    "a reference point": (load("preference/kto"), "midpoint|reference"),
}


def trained(method):
    case = Case(replace(method, passes=1))
    trainer = PrivateTrainer(tied(plan(case.method, case.batches())), Recorder(case.trainer().learner.models),
                             rates=lambda _: dict.fromkeys(ROLES, RATE))  # fmt: skip
    return trainer.train(case.batches())


@pytest.mark.parametrize("name", ["online/rloo", "online/grpo", "online/dpppo", "online/remax", "preference/dpo"])
def test_groups_and_pairs_are_of_one_record(name):
    assert "loss" in trained(load(name))


@pytest.mark.parametrize("what", MIXED)
def test_what_depends_on_other_records_is_an_error_with_its_name(what):
    method, tensor = MIXED[what]
    with pytest.raises(ConfigError, match=rf"train.privacy: .*({tensor}|point).* depends on the other records"):
        trained(method)
