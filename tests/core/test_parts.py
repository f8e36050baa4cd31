"""The signature is the declaration: what a part reads, what it returns, and what cannot be one."""

import pickle
import re

import pytest
import torch

from posttrain.core.method import Table
from posttrain.core.parts import Part, PartError, PerPair, PerRow, PerToken, Scalar, pairwise, part, pick, settings_of
from posttrain.formulas.credit.advantages import gae
from posttrain.formulas.credit.controllers import adaptive_kl
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.policy_gradient import clipped_surrogate, token_ratio
from posttrain.formulas.losses.scores import log_ratio, nll, sum_logp

T = torch.tensor


# ---- functions of imaginary users


def doubled(x: PerRow, *, factor: float = 2.0) -> PerRow:
    return x * factor


def untyped(logp):
    return logp


def hidden_inputs(logp, **kw) -> PerToken:
    return logp


def hidden_list(*tensors) -> PerToken:
    return tensors[0]


def required(logp, *, target: float) -> PerToken:
    return logp * target


def listed(logp, *, layers: list[int] = [1]) -> PerToken:  # noqa: B006 (that is what must be refused)
    return logp


def stateful_untyped(state, logp) -> tuple:
    return state, logp


def weighted(chosen: PerPair, rejected: PerPair, chosen_kl: PerPair, rejected_kl: PerPair) -> PerPair:
    return chosen - rejected - (chosen_kl - rejected_kl)


def scaled(chosen: PerPair, rejected: PerPair, strength: Scalar) -> PerPair:
    return strength * (chosen - rejected)


def inner_function():
    def inside(logp) -> PerToken:
        return logp

    return inside


# ---- what a part is


def test_positional_parameters_are_tensors_and_keyword_only_ones_settings():
    made = part(gae, lam=0.9)
    assert made.binds == (("token_reward", "token_reward"), ("old_value", "old_value"), ("rows", "rows"))
    assert dict(made.settings) == {"gamma": 1.0, "lam": 0.9}
    assert made.axes == "T"
    assert made.expects == {"token_reward": "T", "old_value": "T"}


def test_a_tensor_is_filled_by_another_name_or_by_a_part():
    renamed = part(gae, old_value="old_cost_value")
    assert renamed.needs == {"token_reward", "old_cost_value", "rows"}
    nested = part(clipped_surrogate, ratio=token_ratio)
    assert nested.needs == {"advantage", "logp", "old_logp"}
    assert [p.name for p in nested.walk()] == ["clipped_surrogate", "token_ratio"]


def test_the_first_parameter_state_makes_it_stateful():
    made = part(adaptive_kl)
    assert made.stateful
    assert made.axes == ""
    assert "state" not in made.needs
    assert not part(gae).stateful


def test_calling_reads_the_batch_and_applies_the_settings():
    batch = {"reward": T([1.0, 2.0])}
    assert part(doubled, x="reward")(batch).tolist() == [2, 4]
    assert part(doubled, x=part(doubled, x="reward", factor=3.0))(batch).tolist() == [6, 12]


def test_a_shared_inner_part_is_computed_once():
    calls = []

    class Counting(dict):
        def __getitem__(self, name):
            calls.append(name)
            return super().__getitem__(name)

    inner = part(doubled, x="reward")
    batch, cache = Counting(reward=T([1.0])), {}
    part(doubled, x=inner)(batch, cache=cache)
    part(doubled, x=inner, factor=5.0)(batch, cache=cache)
    assert calls == ["reward"]


def test_parts_are_equal_hash_and_pickle_by_content():
    one, two = part(gae, lam=0.9), part(gae, lam=0.9)
    assert one == two
    assert hash(one) == hash(two)
    assert one != part(gae, lam=0.8)
    assert pickle.loads(pickle.dumps(one)) == one


def test_settings_can_be_passed_through_a_change():
    changed = part(clipped_surrogate, ratio=token_ratio).with_settings(lambda p, k, v: v + 1)
    assert dict(changed.settings) == {"low": 1.2, "high": 1.2}


def test_where_names_the_file_and_the_line():
    assert re.fullmatch(r"gae \(advantages\.py:\d+\)", part(gae).where)
    assert part(nll).summary == "Negative log-likelihood of a token: -log π(y_t)."


class TestPairwise:
    batch = {"logp": None, "scores": T([1.0, 5.0, 2.0]), "pairs": T([[1, 0], [2, 0]]), "strength": T(10.0)}

    def test_links_the_scores_of_preferred_and_rejected(self):
        made = pairwise(scaled, part(doubled, x="scores"))
        assert made(self.batch).tolist() == [80, 20]
        assert made.needs == {"scores", "pairs", "strength"}
        assert made.axes == "N"

    def test_other_parts_of_the_link_stay_what_they_are(self):
        made = pairwise(scaled, part(doubled, x="scores"), strength="seed")
        assert "seed" in made.needs

    def test_a_second_score_gets_its_own_columns(self):
        made = pairwise(weighted, part(doubled, x="scores"), kl=part(doubled, x="scores", factor=1.0))
        assert made(self.batch).tolist() == [4, 1]

    def test_settings_go_to_the_link(self):
        assert dict(pairwise(logistic, log_ratio, beta=0.3).settings)["beta"] == 0.3

    def test_its_helper_has_no_settings_for_the_user(self):
        made = pairwise(logistic, sum_logp)
        assert {(p.name, k) for p, k, _ in settings_of([made])} == {
            ("logistic", "beta"),
            ("logistic", "margin"),
            ("logistic", "smoothing"),
        }
        assert any(p.fn is pick for p in made.walk())


WRONG = {
    "unknown keyword": (
        lambda: part(logistic, betta=0.2),
        r"no setting or tensor 'betta' \(did you mean 'beta'\?\); settings",
    ),
    "no return annotation": (lambda: part(untyped), r"untyped \(.*\): say what it returns: -> PerToken, PerRow"),
    "state without axes": (lambda: part(stateful_untyped), r"say what it returns.*tuple\[State, Scalar\]"),
    "keyword arguments": (lambda: part(hidden_inputs), r"\*args/\*\*kwargs hide inputs; name them"),
    "a list of arguments": (lambda: part(hidden_list), r"\*args/\*\*kwargs hide inputs; name them"),
    "a lambda": (lambda: part(lambda logp: logp), "lambdas and inner functions do not pickle; define it at the top"),
    "an inner function": (lambda: part(inner_function()), "lambdas and inner functions do not pickle"),
    "a missing setting": (lambda: part(required), r"\['target'\] have no default and must be given"),
    "a mutable setting": (lambda: part(listed), r"\['layers'\] must be frozen; write a tuple"),
    "a given mutable setting": (lambda: part(doubled, factor=[1.0]), r"\['factor'\] must be frozen; write a tuple"),
    "a number for a tensor": (lambda: part(nll, logp=0.5), "'logp' is a tensor; give the name of a tensor or a part"),
    "a part for a setting": (
        lambda: part(doubled, factor=nll),
        r"'factor' is a setting \(after '\*'\); move it before",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_a_part_says_why(wrong):
    make, message = WRONG[wrong]
    with pytest.raises(PartError, match=message):
        make()


def test_a_part_is_frozen():
    with pytest.raises(AttributeError):
        part(gae).settings = ()
    assert isinstance(part(gae), Part)


class TestTable:
    def test_is_a_mapping_that_hashes_pickles_and_joins(self):
        table = Table({"a": 1})
        assert table == Table({"a": 1})
        assert hash(table) == hash(Table({"a": 1}))
        assert pickle.loads(pickle.dumps(table)) == table
        assert table | {"b": 2} == {"a": 1, "b": 2}

    def test_cannot_change(self):
        with pytest.raises(TypeError):
            Table({"a": 1})["a"] = 2
