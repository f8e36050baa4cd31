"""Options of one stage over the section `train` of the run file."""

from __future__ import annotations

import pytest

from posttrain.config.sections.train import Train
from posttrain.errors import ConfigError
from posttrain.training.section import section_of_stage

SECTION = Train(epochs=2, learning_rate=1e-4, weight_decay=0.1)


def test_options_take_the_place_of_the_sections_values():
    changed = section_of_stage(SECTION, {"learning_rate": 1e-3, "prompts_per_step": 4})
    assert (changed.learning_rate, changed.prompts_per_step, changed.epochs) == (1e-3, 4, 2)


def test_steps_and_epochs_take_each_others_place():
    stepped = section_of_stage(SECTION, {"steps": 3})
    assert (stepped.steps, stepped.epochs) == (3, None)
    again = section_of_stage(stepped, {"epochs": 1})
    assert (again.steps, again.epochs) == (None, 1)


def test_an_option_that_no_section_has_is_refused():
    with pytest.raises(ConfigError, match="train.learning_rat"):
        section_of_stage(SECTION, {"learning_rat": 1})


@pytest.mark.parametrize("option", [{"weight_decay": 0.2}, {"betas": (0.9, 0.95)}, {"max_grad_norm": 0.5}])
def test_what_all_stages_share_is_refused_where_it_differs(option):
    (name,) = option
    with pytest.raises(ConfigError, match=f"train.{name} is the same for all stages"):
        section_of_stage(SECTION, option)


def test_what_all_stages_share_may_be_repeated():
    assert section_of_stage(SECTION, {"weight_decay": 0.1, "steps": 1}).weight_decay == 0.1
