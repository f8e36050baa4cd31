"""A method is data, and whatever can be known to be wrong about it fails when its file is imported."""

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from posttrain.core.method import MAIN, SEQUENCE_MEAN, TOKEN_MEAN, Derived, Method, Reduce, Stream, Term, without
from posttrain.core.parts import PartError, PerRow, PerToken, PerTokenVocab, Scalar, part
from posttrain.core.vocabulary import When
from posttrain.formulas.credit.advantages import gae, whiten
from posttrain.formulas.credit.controllers import adaptive_kl, doubling_kl
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.policy_gradient import clipped_surrogate
from posttrain.formulas.losses.scores import log_ratio, nll, sum_logp
from posttrain.formulas.losses.values import clipped_value
from posttrain.methods.online.grpo import METHOD as GRPO
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.methods.online.ppo_ptx import METHOD as PPO_PTX
from posttrain.methods.preference.dpo import METHOD as DPO


def typo(logp, ref_logps) -> PerToken:
    return logp


def setting_first(logp, temprature_scale) -> PerToken:
    return logp


def per_row(reward) -> PerRow:
    return reward


def mean(reward: PerRow) -> Scalar:
    return reward.mean()


def wide(logits: PerTokenVocab) -> PerTokenVocab:
    return logits


def without_start(state, reward) -> tuple[dict, Scalar]:
    return {}, reward.mean()


def made(**changes):
    given = {"name": "mine", "streams": Stream("prompts"), "loss": Term(nll, reduce=TOKEN_MEAN)}
    return Method(**given | changes)


class TestShorthands:
    def test_one_stream_is_main_and_one_term_is_loss(self):
        assert list(made().streams) == [MAIN]
        assert list(made().loss) == ["loss"]

    def test_bare_functions_become_parts(self):
        method = made(derived={"credit": gae}, metrics={"nll": Term(nll, reduce=TOKEN_MEAN), "reward": mean})
        assert method.derived["credit"] == Derived(part(gae))
        assert method.metrics["reward"].part == part(mean)

    def test_the_unit_of_a_mean_comes_from_the_axes(self):
        assert Term(per_row).reduction is Reduce.MEAN
        assert Term(mean).whole
        assert not Term(per_row).whole

    def test_derived_names_join_the_vocabulary(self):
        assert made(derived={"credit": gae}).vocabulary["credit"].axes == "T"

    def test_times_by_name(self):
        assert [Derived(gae, each=e).when for e in ("batch", "step", "end")] == [When.ONCE, When.STEP, When.END]
        assert Derived(doubling_kl, each="end").start == 1.0


class TestVariants:
    def test_replace_shows_only_the_difference(self):
        variant = replace(DPO, name="mine", loss=Term(part(nll), reduce=TOKEN_MEAN))
        assert (variant.streams, variant.metrics) == (DPO.streams, DPO.metrics)

    def test_without_drops_a_term(self):
        assert list(without(GRPO.loss, "kl")) == ["policy"]
        assert list(GRPO.loss) == ["policy", "kl"]

    def test_methods_are_frozen_hashable_and_pickle(self):
        with pytest.raises(FrozenInstanceError):
            GRPO.passes = 2
        assert pickle.loads(pickle.dumps(GRPO)) == GRPO
        assert hash(pickle.loads(pickle.dumps(GRPO))) == hash(GRPO)
        assert len({GRPO, replace(GRPO), PPO}) == 2


WRONG = {
    "unknown records": (
        lambda: made(streams=Stream("promts")),
        r"unknown records 'promts' \(did you mean 'prompts'\?\)",
    ),
    "a tensor misspelt": (
        lambda: made(loss=Term(typo, reduce=TOKEN_MEAN)),
        r"typo \(.*\): unknown tensor 'ref_logps' \(did you mean 'ref_logp'\?\)",
    ),
    "a setting among the tensors": (
        lambda: made(loss=Term(setting_first, reduce=TOKEN_MEAN)),
        r"If it is a setting, put it after '\*'; else fill it: part\(setting_first, temprature_scale=...\), "
        r"or derive it",
    ),
    "a link without scores": (lambda: made(loss=Term(logistic)), r"Use pairwise\(logistic, score\)"),
    "no reduction": (
        lambda: made(loss=Term(nll)),
        r"nll returns \[T\]: reduce= must be TOKEN_MEAN, SEQUENCE_MEAN or SEQUENCE_SUM",
    ),
    "a reduction too many": (
        lambda: made(loss=Term(sum_logp, reduce=SEQUENCE_MEAN)),
        r"sum_logp returns \[B\]: reduce= must be left out",
    ),
    "a mean of one number": (
        lambda: made(loss=Term(mean, reduce=Reduce.MEAN)),
        r"mean returns \[\]: reduce= must be left out",
    ),
    "rows as one number": (
        lambda: made(loss=Term(per_row, reduce=Reduce.WHOLE)),
        r"per_row returns \[B\]: reduce= must be left out",
    ),
    "a loss per word": (
        lambda: made(loss=Term(wide)),
        r"wide returns \[T V\]: a term must return PerToken, PerRow, PerPair or Scalar",
    ),
    "another shape than the vocabulary's": (
        lambda: replace(GRPO, derived={"advantage": per_row}),
        r"advantage is \[T\] in the vocabulary, but per_row \(.*\) returns \[B\]",
    ),
    "a part of the wrong shape": (
        lambda: made(loss=Term(part(clipped_surrogate, ratio=log_ratio), reduce=TOKEN_MEAN)),
        r"ratio is \[T\], but log_ratio is \[B\]",
    ),
    "a tensor of the wrong shape": (
        lambda: made(derived={"credit": part(gae, token_reward="reward")}),
        r"token_reward is \[T\], but reward is \[B\]",
    ),
    "state inside a loss": (
        lambda: made(loss=Term(part(clipped_value, old_value=adaptive_kl), reduce=TOKEN_MEAN)),
        r"adaptive_kl has state, so it must be a derived tensor of its own",
    ),
    "state inside a derived tensor": (
        lambda: made(derived={"credit": part(whiten, credit=part(gae, old_value=adaptive_kl))}),
        "has state, so it must be a derived tensor of its own",
    ),
    "state over two streams": (
        lambda: replace(PPO_PTX, derived=PPO_PTX.derived | {"z": Derived(adaptive_kl, over=(MAIN, "pretrain"))}),
        r"has state and reads \('main', 'pretrain'\): one stream only",
    ),
    "one number of two streams": (
        lambda: replace(PPO_PTX, derived=PPO_PTX.derived | {"z": Derived(mean, over=(MAIN, "pretrain"))}),
        r"returns a Scalar and reads \('main', 'pretrain'\): one stream only",
    ),
    "an unknown stream": (
        lambda: made(loss=Term(nll, reduce=TOKEN_MEAN, over="mian")),
        r"reads stream 'mian' \(did you mean 'main'\?\); streams main",
    ),
    "an unknown time": (
        lambda: made(derived={"credit": Derived(gae, each="epoch")}),
        "each is 'batch', 'step' or 'end', not 'epoch'",
    ),
    "an end without a start": (
        lambda: made(derived={"z": Derived(without_start, each="end")}),
        "without_start .* must return a Scalar and have a setting 'start'",
    ),
    "an end that is no number": (
        lambda: made(derived={"credit": Derived(gae, each="end")}),
        "must return a Scalar and have a setting 'start'",
    ),
    "an unknown weight": (
        lambda: made(loss=Term(nll, "kl_wieght", TOKEN_MEAN), derived={"kl_weight": adaptive_kl}),
        r"loss 'loss' is weighted by unknown tensor 'kl_wieght' \(did you mean 'kl_weight'\?\)",
    ),
    "a weight that is no number": (
        lambda: made(loss=Term(nll, "advantage", TOKEN_MEAN)),
        r"the weight of loss 'loss' must be one number, but advantage is \[T\]",
    ),
    "an unknown end of passes": (lambda: made(until="moved"), "until: unknown tensor 'moved'"),
    "an end of passes that is no number": (
        lambda: made(derived={"credit": gae}, until="credit"),
        r"until must be one number that is derived each='step'",
    ),
    "an end of passes once per batch": (
        lambda: made(derived={"z": mean}, until="z"),
        r"until must be one number that is derived each='step'",
    ),
    "no passes": (lambda: made(passes=0), "passes must be a whole number of at least 1, not 0"),
    "half a minibatch": (lambda: made(minibatches=0.5), "minibatches must be a whole number of at least 1, not 0.5"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_method_fails_where_it_is_written_and_says_why(wrong):
    make, message = WRONG[wrong]
    with pytest.raises(PartError, match=message):
        make()


def test_errors_begin_with_the_name_of_the_method():
    with pytest.raises(PartError, match=r"^mine: "):
        made(loss=Term(nll))


def test_importing_a_method_needs_no_default_dtype():
    assert torch.get_default_dtype() is torch.float32
