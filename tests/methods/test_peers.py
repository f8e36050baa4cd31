"""The same numbers as TRL where both mean the same: its own loss code, on log-probs that both are given.

Where the definitions differ, docs/peers.md says how and why.
"""

from __future__ import annotations

import inspect
import math
import re
from collections import defaultdict, deque
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.catalogue.transforms.off_policy import corrected
from posttrain.core.method import variant, without
from posttrain.records import Numbers
from tests.harness.numbers import answer, step
from tests.methods.trainers import Told, bare, flat, kept, mask_of, padded

pytest.importorskip("trl", minversion="1.16")
CLOSE = {"rel": 1e-9, "abs": 1e-12}


def numbers(seed, lengths, low=-3.0, high=-0.1):
    """Log-probs for answers of these lengths."""
    generator = torch.Generator().manual_seed(seed)
    return [(low + (high - low) * torch.rand(n, generator=generator)).tolist() for n in lengths]


def near(rows, seed):
    """Other log-probs, about 0.2 away."""
    generator = torch.Generator().manual_seed(seed)
    return [(torch.tensor(r) + 0.2 * torch.randn(len(r), generator=generator)).tolist() for r in rows]


# ---- preferences


LENGTHS = (5, 4, 7, 2, 3, 6)  # chosen, rejected, chosen, rejected, ...
POLICY = numbers(1, LENGTHS)
REFERENCE = near(POLICY, 2)
ELSEWHERE = numbers(26, LENGTHS)  # a reference that ranks the pairs otherwise than the policy


def ours_on_pairs(method, reference=REFERENCE):
    rows = [answer(logp=p, ref_logp=r) for p, r in zip(POLICY, reference, strict=True)]
    one = step(method, *rows, pairs=[(0, 1), (2, 3), (4, 5)])
    return one.metrics["loss"], one.gradient("logp")


def in_halves(rows):
    """TRL puts the chosen answers first, then the rejected ones."""
    return [*rows[::2], *rows[1::2]]


def in_pairs(rows):
    half = len(rows) // 2
    return [x for pair in zip(rows[:half], rows[half:], strict=True) for x in pair]


def trl_dpo(loss_type, beta, logits=None, policy=POLICY, reference=REFERENCE, **settings):
    from trl import DPOTrainer

    logp = padded(in_halves(policy)).requires_grad_()
    ref_chosen, ref_rejected = padded(in_halves(reference)).sum(1).chunk(2)
    answers = mask_of(in_halves(policy))
    mask = torch.cat([torch.zeros(len(answers), 1, dtype=answers.dtype), answers], 1)
    inputs = {
        "input_ids": torch.zeros_like(mask),
        "attention_mask": torch.ones_like(mask),
        "completion_mask": mask,
        "ref_chosen_logps": ref_chosen,
        "ref_rejected_logps": ref_rejected,
    }
    told = {
        "ld_alpha": None,
        "precompute_ref_logps": True,
        "f_divergence_type": "reverse_kl",
        "loss_types": [loss_type],
        "loss_weights": [1.0],
        "beta": beta,
        "label_smoothing": 0.0,
        "use_weighting": False,
    }
    trainer = bare(DPOTrainer, model=Told(logp, log_sum_sq_probs=logits), **(told | settings))
    loss = trainer._compute_loss(trainer.model, inputs, False)
    loss.backward()
    return loss.item(), in_pairs(kept(logp.grad, in_halves(policy)))


@pytest.mark.paper("rafailov20239ck", "001-text:IPO")
@pytest.mark.parametrize(
    ("path", "setting", "loss_type"), [("preference/dpo", "beta", "sigmoid"), ("preference/ipo", "tau", "ipo")]
)
@pytest.mark.parametrize("value", [0.1, 0.7])
def test_dpo_and_ipo(path, setting, loss_type, value):
    loss, gradient = ours_on_pairs(configure(load(path), {setting: value}))
    their_loss, their_gradient = trl_dpo(loss_type, value)
    assert loss == pytest.approx(their_loss, **CLOSE)
    assert flat(gradient) == pytest.approx(flat(their_gradient), **CLOSE)


@pytest.mark.parametrize("beyond", [0.0, 0.3, 1.0])
def test_ld_dpo(beyond):
    """The reference is given to TRL as sums, so its tokens beyond the shorter answer are weighed beforehand."""
    shorter = [min(pair) for pair in zip(LENGTHS[::2], LENGTHS[1::2], strict=True) for _ in pair]
    weighed = [
        [x * (beyond if t >= n else 1) for t, x in enumerate(r)] for r, n in zip(REFERENCE, shorter, strict=True)
    ]
    loss, gradient = ours_on_pairs(configure(load("preference/ld_dpo"), {"beyond": beyond}))
    their_loss, their_gradient = trl_dpo("sigmoid", 0.1, reference=weighed, ld_alpha=beyond)
    assert loss == pytest.approx(their_loss, **CLOSE)
    assert flat(gradient) == pytest.approx(flat(their_gradient), **CLOSE)


@pytest.mark.paper("000:[66]")
@pytest.mark.parametrize(
    ("path", "settings", "loss_type", "theirs"),
    [
        ("preference/robust_dpo", {"smoothing": 0.2}, "robust", {"label_smoothing": 0.2}),
        ("preference/gpo", {"shape": "hinge"}, "hinge", {}),
        ("preference/exo", {"smoothing": 0.05}, "exo_pair", {"label_smoothing": 0.05}),
        ("preference/nca", {}, "nca_pair", {}),
        ("preference/apo_zero", {}, "apo_zero", {}),
        ("preference/apo_down", {}, "apo_down", {}),
        ("preference/discopop", {"tau": 0.2}, "discopop", {"args": SimpleNamespace(discopop_tau=0.2)}),
        ("preference/sppo", {}, "sppo_hard", {}),
        ("preference/dpo", {"aggregate": "mean"}, "sigmoid_norm", {}),
        ("preference/f_dpo", {"divergence": "forward_kl"}, "sigmoid", {"f_divergence_type": "forward_kl"}),
        ("preference/f_dpo", {"divergence": "jensen_shannon"}, "sigmoid", {"f_divergence_type": "js_divergence"}),
    ],
)
@pytest.mark.parametrize("beta", [0.1, 0.7])
def test_the_other_pair_losses(path, settings, loss_type, theirs, beta):
    loss, gradient = ours_on_pairs(configure(load(path), {"beta": beta, **settings}))
    their_loss, their_gradient = trl_dpo(loss_type, beta, **theirs)
    assert loss == pytest.approx(their_loss, **CLOSE)
    assert flat(gradient) == pytest.approx(flat(their_gradient), **CLOSE)


@pytest.mark.parametrize("loss_type", ["aot", "aot_unpaired"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_aot(loss_type, smoothing):
    method = configure(load(f"preference/{loss_type}"), {"smoothing": smoothing})
    loss, gradient = ours_on_pairs(method, ELSEWHERE)
    their_loss, their_gradient = trl_dpo(loss_type, 0.1, reference=ELSEWHERE, label_smoothing=smoothing)
    assert loss == pytest.approx(their_loss, **CLOSE)
    assert flat(gradient) == pytest.approx(flat(their_gradient), **CLOSE)


@pytest.mark.parametrize("loss_type", ["aot", "aot_unpaired"])
def test_their_aot_is_dpo_in_micro_batches_of_one_pair(loss_type):
    """TRL sorts within each; ours, whose sort spans the step, is another number than DPO's however it is cut."""
    halves = [{"policy": POLICY[i : i + 2], "reference": ELSEWHERE[i : i + 2]} for i in (0, 2, 4)]
    cut = [trl_dpo(loss_type, 0.1, **half)[0] for half in halves]
    dpo, aot = (ours_on_pairs(load(f"preference/{name}"), ELSEWHERE)[0] for name in ("dpo", loss_type))
    assert sum(cut) / 3 == pytest.approx(dpo, **CLOSE)
    assert aot < dpo - 1e-3


def test_sft_on_the_chosen_answers():
    """One mean over all their tokens; TRL takes it within each micro-batch."""
    one = step(load("imitation/sft"), *(answer(logp=p) for p in POLICY[::2]))
    loss, gradient = trl_dpo("sft", 0.1)
    assert one.metrics["loss"] == pytest.approx(loss, **CLOSE)
    assert flat(one.gradient("logp")) == pytest.approx(flat(gradient[::2]), **CLOSE)
    assert not any(flat(gradient[1::2]))


def test_every_loss_of_their_dpo_trainer_is_compared():
    from trl import DPOTrainer

    theirs = set(re.findall(r'loss_type == "(\w+)"', inspect.getsource(DPOTrainer._compute_loss)))
    here = set(re.findall(r'"(\w+)"', Path(__file__).read_text(encoding="utf-8")))
    assert len(theirs) >= 15
    assert theirs <= here


def test_f_dpo_with_alpha():
    """TRL's coefficient is 1 - α, and it raises to that power in float32."""
    torch.set_default_dtype(torch.float32)  # the fixture puts it back
    loss, gradient = ours_on_pairs(configure(load("preference/f_dpo"), {"divergence": "alpha", "alpha": 0.3}))
    theirs = trl_dpo("sigmoid", 0.1, f_divergence_type="alpha_divergence", f_alpha_divergence_coef=0.7)
    assert loss == pytest.approx(theirs[0], abs=1e-6)
    assert flat(gradient) == pytest.approx(flat(theirs[1]), abs=1e-6)


def test_bco_without_its_threshold():
    """A state that the first step moves to zero: TRL's pairs have no threshold."""
    method = load("preference/bco")
    middle = sum(sum(p) - sum(r) for p, r in zip(POLICY, REFERENCE, strict=True)) / 6
    rows = [answer(logp=p, ref_logp=r) for p, r in zip(POLICY, REFERENCE, strict=True)]
    one = step(method, *rows, pairs=[(0, 1), (2, 3), (4, 5)], states={"shift": {"mean": -middle / 9}})
    loss, gradient = trl_dpo("bco_pair", 0.1)
    assert one.metrics["loss"] == pytest.approx(loss, **CLOSE)
    assert flat(one.gradient("logp")) == pytest.approx(flat(gradient), **CLOSE)


@pytest.mark.paper("zhou202469n")
def test_wpo_where_no_weight_is_cut():
    """TRL does not cut the product of the weights at 1."""
    usual = math.log(0.5)  # of a uniform distribution over two tokens
    rows = [answer(logp=p, ref_logp=r, logits=[[0.0, 0.0]] * len(p)) for p, r in zip(POLICY, REFERENCE, strict=True)]
    one = step(load("preference/wpo"), *rows, pairs=[(0, 1), (2, 3), (4, 5)])
    loss, gradient = trl_dpo("sigmoid", 0.1, logits=torch.full((6, 7), usual), use_weighting=True)
    assert one.metrics["loss"] == pytest.approx(loss, **CLOSE)
    assert flat(one.gradient("logp")) == pytest.approx(flat(gradient), **CLOSE)


def test_cpo():
    """Its pair term; TRL's NLL is one mean over all tokens of the chosen answers."""
    sums = [sum(p) for p in POLICY]
    method = configure(load("preference/cpo"), {"nll.weight": 0.0, "beta": 0.3})
    theirs = trl_cpo("sigmoid", sums[::2], sums[1::2], beta=0.3, label_smoothing=0.0)
    assert ours_on_pairs(method)[0] == pytest.approx(theirs, **CLOSE)


@pytest.mark.paper("002:Zephyr 141B-A39B / ORPO")
def test_orpo():
    """Its odds; TRL computes them in float32."""
    from trl.experimental.orpo import ORPOTrainer

    means = torch.tensor([sum(p) / len(p) for p in POLICY])
    losses, *_, margins = bare(ORPOTrainer, beta=0.2).odds_ratio_loss(means[::2], means[1::2])
    rows = [answer(logp=p) for p in POLICY]
    one = step(configure(load("preference/orpo"), {"odds.weight": 0.2}), *rows, pairs=[(0, 1), (2, 3), (4, 5)])
    assert 0.2 * one.metrics["loss/odds"] == pytest.approx(-float(losses.mean()), abs=1e-6)
    assert one.metrics["log_odds/margins"] == pytest.approx(float(margins), abs=1e-6)


def trl_orpo(**settings):
    """Its loss on answers behind prompts of one token, which nothing predicts. Token 1 has the log-probs."""
    from trl.experimental.orpo import ORPOTrainer

    logp = padded(in_halves(POLICY)).clamp(max=-0.01)  # finite behind the end of an answer
    logits = torch.nn.functional.pad(torch.stack([(-logp.exp()).log1p(), logp], -1), (0, 0, 0, 1))
    mask = torch.nn.functional.pad(mask_of(in_halves(POLICY)), (1, 0), value=1)
    labels = torch.where(mask == 1, mask, -100)
    labels[:, 0] = -100
    batch = {
        f"{side}_{name}": half
        for name, x in (("input_ids", mask), ("attention_mask", mask), ("labels", labels))
        for side, half in zip(("chosen", "rejected"), x.chunk(2), strict=True)
    }
    told = {"is_encoder_decoder": False, "pad_token_id": 0, "padding_value": 0, "label_pad_token_id": -100}
    trainer = bare(ORPOTrainer, **told, **settings)
    return float(trainer.get_batch_loss_metrics(lambda *_, **__: SimpleNamespace(logits=logits), batch)[0])


@pytest.mark.paper("002:Zephyr 141B-A39B / ORPO")
def test_orpo_with_one_mean_over_all_tokens():
    """The whole loss; the default, which weighs answers alike, is another number."""
    theirs = trl_orpo(beta=0.2)
    plain, tokens = (
        ours_on_pairs(configure(load("preference/orpo"), {"odds.weight": 0.2, "over": over}))[0]
        for over in ("answers", "tokens")
    )
    assert tokens == pytest.approx(theirs, abs=1e-6)
    assert abs(plain - theirs) > 1e-3


def trl_cpo(loss_type, chosen, rejected, **settings):
    from trl.experimental.cpo import CPOTrainer

    trainer = bare(CPOTrainer, loss_type=loss_type, alpha=0.0, **settings)
    return float(trainer.cpo_loss(torch.tensor(chosen), torch.tensor(rejected))[0].mean())


def test_dpo_with_wrong_labels():
    """TRL's "sigmoid" of DPOTrainer reads no label_smoothing; that of CPOTrainer does, and is given our log-ratios."""
    ratios = [sum(p) - sum(r) for p, r in zip(POLICY, REFERENCE, strict=True)]
    loss, _ = ours_on_pairs(configure(load("preference/dpo"), {"smoothing": 0.2}))
    theirs = trl_cpo("sigmoid", ratios[::2], ratios[1::2], beta=0.1, label_smoothing=0.2)
    assert loss == pytest.approx(theirs, **CLOSE)


@pytest.mark.parametrize("gamma", [0.5, 1.6])
def test_simpo(gamma):
    """The same absolute margin: TRL divides it by beta and multiplies by beta again."""
    means = [sum(p) / len(p) for p in POLICY]
    loss, _ = ours_on_pairs(configure(load("preference/simpo"), {"beta": 2.5, "margin": gamma}))
    theirs = trl_cpo("simpo", means[::2], means[1::2], beta=2.5, simpo_gamma=gamma, label_smoothing=0.0)
    assert loss == pytest.approx(theirs, **CLOSE)


LABELS = [True, False, True, True, False, True]


def trl_kto(policy, reference, other, other_reference, desirable, undesirable):
    from trl import KTOTrainer

    logp, kl_logp = padded(policy).requires_grad_(), padded(other)
    answers, others = mask_of(policy), mask_of(other)
    trainer = bare(
        KTOTrainer,
        calculate_KL=True,
        precompute_ref_logps=True,
        loss_type="kto",
        beta=0.1,
        desirable_weight=desirable,
        undesirable_weight=undesirable,
    )
    first = lambda m: torch.cat([torch.zeros(len(m), 1, dtype=m.dtype), m], 1)  # noqa: E731
    trainer.__dict__["model"] = Told(logp, kl_logp)
    inputs = {
        "input_ids": first(answers),
        "attention_mask": first(answers),
        "completion_mask": first(answers),
        "KL_input_ids": 2 * first(others),
        "KL_attention_mask": first(others),
        "KL_completion_mask": first(others),
        "label": torch.tensor(LABELS),
        "ref_logps": padded(reference).sum(1),
        "ref_KL_logps": padded(other_reference).sum(1),
    }
    loss = trainer._compute_loss(trainer.model, inputs, False)
    loss.backward()
    return loss.item(), kept(logp.grad, policy)


@pytest.mark.parametrize("shift", [0.3, -0.3])  # a reference point above zero, and one that is clamped to it
def test_kto(shift):
    other = numbers(5, (3, 4, 2, 5, 3, 3))
    other_reference = [[x - shift for x in row] for row in other]
    rows = [answer(logp=p, ref_logp=r, label=label) for p, r, label in zip(POLICY, REFERENCE, LABELS, strict=True)]
    elsewhere = [answer(logp=p, ref_logp=r, label=True) for p, r in zip(other, other_reference, strict=True)]
    method = configure(load("preference/kto"), {"desirable": 1.2, "undesirable": 0.9})
    one = step(method, *rows, others={"mismatched": elsewhere})
    loss, gradient = trl_kto(POLICY, REFERENCE, other, other_reference, 1.2, 0.9)
    assert one.metrics["loss"] == pytest.approx(loss, **CLOSE)
    assert flat(one.gradient("logp")) == pytest.approx(flat(gradient), **CLOSE)


# ---- rewards: two prompts with three answers each


SIZES = (4, 2, 5, 3, 3, 1)
NOW = numbers(11, SIZES)
OLD, REF = near(NOW, 12), near(NOW, 13)
REWARDS = [1.0, 0.0, 0.5, 2.0, 2.0, -1.0]


def rollouts(**more):
    for i, (now, old, ref) in enumerate(zip(NOW, OLD, REF, strict=True)):
        own = {name: values[i] for name, values in more.items()}
        yield answer(logp=now, old_logp=old, ref_logp=ref, reward=REWARDS[i], group=i // 3, author=0, ended=True, **own)


def trl_advantages(trainer_class, rewards=([1.0], [[r] for r in REWARDS]), **attributes):
    """TRL's own scoring of completions that were generated elsewhere. `rewards`: weights, and numbers by answer."""
    weights, given = rewards
    attributes = {"multi_objective_aggregation": "sum_then_normalize"} | attributes
    tokens = [[1] * n for n in SIZES]
    args = SimpleNamespace(
        per_device_train_batch_size=6,
        per_device_eval_batch_size=6,
        steps_per_generation=1,
        gradient_accumulation_steps=1,
        gradient_checkpointing_kwargs=None,
    )
    trainer = bare(
        trainer_class,
        args=args,
        model=Told(),
        ref_model=Told("reference"),
        environment_factories=None,
        environments=None,
        tools=None,
        _tokenizer=SimpleNamespace(pad_token_id=0),
        pad_to_multiple_of=None,
        mask_truncated_completions=False,
        num_iterations=1,
        use_vllm=False,
        vllm_importance_sampling_correction=False,
        num_generations=3,
        num_generations_eval=3,
        reward_weights=torch.tensor(weights),
        reward_funcs=[None] * len(weights),
        reward_func_names=[f"given {k}" for k in range(len(weights))],
        reward_clip_range=None,
        normalize_advantages=False,
        _logs=defaultdict(lambda: deque()) | {"rewards": defaultdict(deque), "extra": defaultdict(deque)},
        _pending_extra_logs={},
        _pending_metrics={},
        log_multimodal=False,
        **attributes,
    )
    says = lambda model, *_, **__: (padded(REF if model.logp == "reference" else OLD), None, None)  # noqa: E731
    trainer.__dict__["_get_per_token_logps_and_entropies"] = says
    trainer.__dict__["_calculate_rewards"] = lambda *_: torch.tensor(given)
    full = ([[1]] * 6, tokens, None, [""] * 6, None, {}, None, None)
    short = ([[1]] * 6, tokens, [""] * 6)
    trainer.__dict__["_generate"] = lambda _: full if trainer_class.__name__ == "GRPOTrainer" else short
    made = trainer._generate_and_score_completions([{"prompt": "?"}] * 6)
    return made["advantages"].tolist()


def own_advantages(method, **scalars):
    return [row[0] for row in step(method, *rollouts(), **scalars).value("advantage")]


def test_grpo_advantages():
    """TRL adds 1e-4 to the same unbiased standard deviation."""
    from trl import GRPOTrainer

    theirs = trl_advantages(GRPOTrainer, beta=0.0, scale_rewards="group")
    assert own_advantages(configure(load("online/grpo"), {"eps": 1e-4})) == pytest.approx(theirs, **CLOSE)


def test_gdpo_advantages():
    """TRL adds 1e-4 to both deviations."""
    from trl import GRPOTrainer

    weights, given = [1.0, 3.0], [[r, (7 * i) % 4 / 2] for i, r in enumerate(REWARDS)]
    several = {"named_rewards": [Numbers(r) for r in given], "reward_weights": [Numbers(weights)] * 6}
    one = step(configure(load("online/gdpo"), {"eps": 1e-4}), *rollouts(**several))
    more = {"multi_objective_aggregation": "normalize_then_sum", "beta": 0.0, "scale_rewards": "group"}
    theirs = trl_advantages(GRPOTrainer, (weights, given), **more)
    assert [row[0] for row in one.value("advantage")] == pytest.approx(theirs, **CLOSE)


def test_dr_grpo_advantages():
    from trl import GRPOTrainer

    theirs = trl_advantages(GRPOTrainer, beta=0.0, scale_rewards="none")
    assert own_advantages(load("online/dr_grpo"), max_tokens=8) == pytest.approx(theirs, **CLOSE)


def test_rloo_advantages_with_the_kl_in_the_reward():
    from trl import RLOOTrainer

    theirs = trl_advantages(RLOOTrainer, beta=0.3)
    assert own_advantages(configure(load("online/rloo"), {"kl_weight": 0.3})) == pytest.approx(theirs, **CLOSE)


ADVANTAGES = [0.7, -1.1, 0.4, 1.5, -0.2, -1.3]


VESPO = {"vespo_k_pos": 2.0, "vespo_lambda_pos": 3.0, "vespo_k_neg": 3.0, "vespo_lambda_neg": 2.0}
SAPO = {"sapo_temperature_pos": 1.0, "sapo_temperature_neg": 1.05}


def trl_grpo(loss_type, beta=0.0, low=0.2, high=0.2, level="token", old=OLD, delta=None, **more):
    from trl import GRPOTrainer
    from trl.experimental.gmpo import GMPOTrainer

    logp, mask = padded(NOW).requires_grad_(), mask_of(NOW)
    trainer = bare(
        GMPOTrainer if loss_type == "gmpo" else GRPOTrainer,
        model=Told(),
        args=SimpleNamespace(delta=delta, use_bias_correction_kl=False, steps_per_generation=1, **VESPO, **SAPO),
        top_entropy_quantile=more.get("top_entropy_quantile", 1.0),
        off_policy_mask_threshold=more.get("off_policy_mask_threshold"),
        importance_sampling_level=level,
        beta=beta,
        loss_type=loss_type,
        epsilon_low=low,
        epsilon_high=high,
        use_vllm=False,
        vllm_importance_sampling_correction=False,
        max_completion_length=8,
        current_gradient_accumulation_steps=1,
        _entropy_bonus_enabled="entropy_coef" in more,
        entropy_coef=more.get("entropy_coef", 0.0),
        use_adaptive_entropy=False,
    )
    entropies = padded(more["entropies"]) if "entropies" in more else torch.zeros_like(logp)
    trainer.__dict__["_get_per_token_logps_and_entropies"] = lambda *_, **__: (logp, entropies, None)
    inputs = {
        "prompt_ids": torch.ones(6, 1, dtype=torch.long),
        "prompt_mask": torch.ones(6, 1, dtype=torch.long),
        "completion_ids": mask,
        "completion_mask": mask,
        "advantages": torch.tensor(ADVANTAGES),
        "old_per_token_logps": padded(old),
        "ref_per_token_logps": padded(REF),
        "num_items_in_batch": mask.sum(),
    }
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    return loss.item(), kept(logp.grad, NOW)


def with_given_advantages(method, **scalars):
    """Our loss terms on the advantages that TRL is given."""
    derived = {n: d for n, d in method.derived.items() if n != "advantage"}
    given = variant(method, derived=derived, metrics={}, passes=1, minibatches=1)
    advantage = [[a] * n for a, n in zip(ADVANTAGES, SIZES, strict=True)]
    one = step(given, *rollouts(advantage=advantage), **scalars)
    return one.metrics["loss"], one.gradient("logp")


GRPO, DUAL = load("online/grpo"), load("online/dual_clip_ppo")
VARIANTS = {
    "grpo with kl": (GRPO, {"loss_type": "grpo", "beta": 0.04}),
    "grpo without": (variant(GRPO, loss=without(GRPO.loss, "kl")), {"loss_type": "grpo"}),
    "dr_grpo": (load("online/dr_grpo"), {"loss_type": "dr_grpo"}),
    "dapo": (load("online/dapo"), {"loss_type": "dapo", "high": 0.28}),
    "bnpo": (configure(load("online/dapo"), {"high": 0.2}), {"loss_type": "bnpo"}),
    "gspo": (load("online/gspo"), {"loss_type": "grpo", "low": 3e-4, "high": 4e-4, "level": "sequence"}),
    "gspo with a wide clip": (
        configure(load("online/gspo"), {"low": 0.2, "high": 0.2}),
        {"loss_type": "grpo", "level": "sequence"},
    ),
    "cispo": (configure(load("online/cispo"), {"cap": 1.1}), {"loss_type": "cispo", "high": 1.1}),
    "sapo": (load("online/sapo"), {"loss_type": "sapo"}),
    "vespo": (load("online/vespo"), {"loss_type": "vespo"}),
    "luspo": (
        configure(load("online/luspo"), {"low": 0.05, "high": 0.05}),
        {"loss_type": "luspo", "level": "sequence", "low": 0.05, "high": 0.05},
    ),
    "gmpo": (configure(load("online/gmpo"), {"low": 0.1, "high": 0.2}), {"loss_type": "gmpo", "low": 0.1}),
    "dual clip": (
        configure(variant(GRPO, loss={"policy": DUAL.loss["policy"]}), {"low": 0.1, "high": 0.1, "ceiling": 1.2}),
        {"loss_type": "dapo", "low": 0.1, "high": 0.1, "delta": 1.2},
    ),
}


@pytest.mark.paper("002:DeepSeek-V2 / GRPO")
@pytest.mark.parametrize("name", VARIANTS)
def test_clipped_losses(name):
    method, settings = VARIANTS[name]
    loss, gradient = with_given_advantages(method, max_tokens=8)
    their_loss, their_gradient = trl_grpo(**settings)
    assert loss == pytest.approx(their_loss, **CLOSE)
    assert flat(gradient) == pytest.approx(flat(their_gradient), **CLOSE)
    assert any(flat(gradient))


ENTROPIES = [[-x for x in row] for row in numbers(14, SIZES)]  # positive


def ours_with_entropies(method):
    derived = {n: d for n, d in method.derived.items() if n not in ("advantage", "returns")}
    given = variant(method, derived=derived, metrics={}, passes=1, minibatches=1)
    advantage = [[a] * n for a, n in zip(ADVANTAGES, SIZES, strict=True)]
    return step(given, *rollouts(advantage=advantage, entropy=ENTROPIES))


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_the_choice_of_tokens_by_entropy(share):
    one = ours_with_entropies(configure(load("online/top_entropy"), {"share": share}))
    loss, gradient = trl_grpo("dapo", high=0.28, top_entropy_quantile=share, entropies=ENTROPIES)
    assert one.metrics["loss"] == pytest.approx(loss, **CLOSE)
    assert flat(one.gradient("logp")) == pytest.approx(flat(gradient), **CLOSE)


@pytest.mark.parametrize("delta", [0.0, 0.1])
def test_the_mask_of_bad_answers_that_the_policy_has_left(delta):
    """TRL takes the log-probs of the sampler where it has them, else the old ones, as here."""
    method = configure(corrected(load("online/dapo"), "opsm", older=False), {"delta": delta})
    derived = {n: d for n, d in method.derived.items() if n != "advantage"}
    advantage = [[a] * n for a, n in zip(ADVANTAGES, SIZES, strict=True)]
    one = step(variant(method, derived=derived, metrics={}), *rollouts(advantage=advantage, rollout_logp=OLD))
    loss, gradient = trl_grpo("dapo", high=0.28, off_policy_mask_threshold=delta)
    assert one.metrics["loss"] == pytest.approx(loss, **CLOSE)
    assert flat(one.gradient("logp")) == pytest.approx(flat(gradient), **CLOSE)


def test_the_bonus_for_entropy():
    bonus = configure(load("online/dapo"), {"entropy": "bonus", "entropy.weight": 0.3})
    loss, _ = trl_grpo("dapo", high=0.28, entropy_coef=0.3, entropies=ENTROPIES)
    assert ours_with_entropies(bonus).metrics["loss"] == pytest.approx(loss, **CLOSE)


def test_every_loss_of_their_grpo_trainer_is_compared():
    from trl import GRPOTrainer

    source = inspect.getsource(GRPOTrainer._compute_loss)
    theirs = set(re.findall(r'loss_type == "(\w+)"', source)) | set(
        re.findall(r'"(\w+)"', " ".join(re.findall(r"loss_type in (\[.*?\])", source)))
    )
    assert len(theirs) >= 8
    assert theirs <= {settings["loss_type"] for _, settings in VARIANTS.values()}


def test_rloo_gradient_while_on_policy():
    """TRL clips the ratio of the whole answer; before the first update that has the gradient of -A log π."""
    from trl import RLOOTrainer

    logp, mask = padded(NOW).requires_grad_(), mask_of(NOW)
    trainer = bare(RLOOTrainer, model=Told(), epsilon_low=0.2, epsilon_high=0.2)
    trainer.__dict__["_get_per_token_logps_and_entropies"] = lambda *_, **__: (logp, torch.zeros_like(logp), None)
    prompts = torch.ones(6, 1, dtype=torch.long)
    inputs = {
        "prompt_ids": prompts,
        "prompt_mask": prompts,
        "completion_ids": mask,
        "completion_mask": mask,
        "advantages": torch.tensor(ADVANTAGES),
        "old_logps": logp.detach().sum(1),
    }
    trainer._compute_loss(trainer.model, inputs).backward()
    _, gradient = with_given_advantages(load("online/rloo"))
    assert flat(gradient) == pytest.approx(flat(kept(logp.grad, NOW)), **CLOSE)


def test_the_soft_penalty_on_long_answers():
    from trl.rewards import get_soft_overlong_punishment

    from posttrain.core.rows import Rows
    from posttrain.formulas.credit.shaping import soft_overlong

    lengths = [1, 79, 80, 81, 90, 99, 100]
    index = torch.arange(7).repeat_interleave(torch.tensor(lengths))
    rows = Rows(index, torch.ones(len(index), dtype=torch.bool), 7)
    theirs = get_soft_overlong_punishment(100, 20)([[1] * n for n in lengths])
    assert soft_overlong(torch.zeros(7), rows, torch.tensor(100.0)).tolist() == pytest.approx(theirs, **CLOSE)
