"""The mask: what is drawn, what is learned from, and when it is renewed."""

from math import log

import pytest
import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.catalogue.transforms.off_policy import corrected
from posttrain.core.decoder import Decoder
from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import PartError
from posttrain.core.plan import plan
from posttrain.core.rows import Rows
from posttrain.formulas.losses.support import likeliest, masked_logp, within
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import Request
from posttrain.training.trainer import Trainer
from tests.harness import generated
from tests.harness.numbers import answer, step
from tests.methods.online.group import group
from tests.models.tiny import network

pytestmark = pytest.mark.paper("000:[28]")

NLPO, PPO = load("online/nlpo"), load("online/ppo")
SCORES = torch.log(torch.tensor([[0.15, 0.5, 0.05, 0.3], [0.25, 0.25, 0.25, 0.25]]))


@pytest.mark.parametrize(
    ("top_p", "least", "kept"),
    [
        (0.4, 1, [1]),
        (0.5, 1, [1]),
        (0.51, 1, [1, 3]),
        (0.94, 1, [0, 1, 3]),
        (1.0, 1, [0, 1, 2, 3]),
        (0.1, 3, [0, 1, 3]),
    ],
)
def test_golden_support(top_p, least, kept):
    assert likeliest(SCORES.double(), top_p, least)[0].nonzero()[:, 0].tolist() == kept


def test_golden_what_is_drawn_is_the_policy_renormalised_over_what_the_mask_finds_likely():
    policy = SCORES.flip(-1)[:1]  # 0.3, 0.05, 0.5, 0.15; the mask leaves tokens 1 and 3
    assert within(policy, SCORES[:1], top_p=0.7).softmax(-1)[0].tolist() == pytest.approx([0, 0.25, 0, 0.75])
    assert torch.equal(within(policy, SCORES[:1], top_p=1.0), policy)


def test_the_sampler_records_the_log_probs_that_the_loss_differentiates():
    nets = {"policy": network(seed=1), "mask": network(seed=2)}
    settings = {"top_p": 0.6, "least": 2}
    decoder = Decoder("within", within, tuple(settings.items()))
    request = Request((3, 7, 9), seed=4, max_tokens=12, temperature=0.7)
    (made,) = Engine(nets, frozenset()).generate([request], decoder)
    tokens = torch.tensor(request.prompt + made.tokens)
    rows = Rows(torch.zeros(len(tokens), dtype=torch.long), torch.arange(len(tokens)) > 2, 1)
    said = [nets[r].outputs(tokens, rows, ["logits"], temperature=0.7)["logits"] for r in ("policy", "mask")]
    found = masked_logp(*said, tokens, torch.tensor([0.7]), rows, **settings)
    assert found[3:].tolist() == pytest.approx(made.logp, abs=1e-8)
    plain = said[0].log_softmax(-1).gather(-1, tokens[:, None])[3:, 0]
    assert all(masked > free for masked, free in zip(made.logp, plain.tolist(), strict=True))


def test_tokens_outside_the_mask_get_no_gradient():
    logits = SCORES[:1].clone().requires_grad_()
    rows = Rows(torch.tensor([0]), torch.tensor([True]), 1)
    masked_logp(logits, SCORES[:1], torch.tensor([1]), torch.ones(1), rows, top_p=0.7).sum().backward()
    assert logits.grad[0].tolist() == pytest.approx([0, 0.375, 0, -0.375])


def test_the_loss_and_the_sampler_have_the_same_mask():
    made = configure(NLPO, {"top_p": 0.5, "least": 7})
    (sampling,) = made.streams["main"].sampling
    assert dict(sampling.decoder.settings) == {"top_p": 0.5, "least": 7}
    assert dict(made.loss["policy"].part.settings) == dict(NLPO.loss["policy"].part.settings)


def test_the_mask_is_renewed_after_so_many_batches_and_never_within_one():
    method = configure(NLPO, {"mask.batches": 2, "passes": 2})
    made = generated.batches(method)
    learner = LocalLearner(generated.networks(method, made))
    trainer = Trainer(plan(method, {s: set(b) for s, b in made.items()}), learner, rates=lambda _: RATES)

    def weights(role):
        return torch.cat([p.detach().flatten().clone() for p in learner.models[role].parameters()])

    start = weights("policy")
    trainer.train(made)
    assert torch.equal(weights("mask"), start)
    state = learner.state()
    trainer.train(made)
    assert torch.equal(weights("mask"), weights("policy"))
    second = weights("policy")
    learner.restore(state)  # the count of steps is part of the state
    trainer.train(made)
    assert torch.equal(weights("mask"), second)
    trainer.train(made)
    assert torch.equal(weights("mask"), second)


RATES = {"policy": 1e-3, "critic": 1e-3}


def test_without_a_mask_it_is_ppo():
    """The same answers, drawn with the log-probs that PPO computes before the batch: the same loss and gradient."""
    probabilities = [[log(0.15), log(0.5), log(0.05), log(0.3)]]
    rows = [
        answer(**a.values | {"logits": probabilities, "temperature": 1.0, "logp": [log(p)], "rollout_logp": [-1.0]})
        for a, p in zip(group([3.0, 1.0], [1, 1]), (0.5, 0.3), strict=True)
    ]
    nlpo, ppo = (step(configure(m, {"passes": 1, **own}), *rows) for m, own in ((NLPO, {"top_p": 1.0}), (PPO, {})))
    for name in ("loss", "loss/policy", "loss/value", "clip_ratio/region_mean"):
        assert nlpo.metrics[name] == pytest.approx(ppo.metrics[name])
    slope = [row[0] for row in ppo.gradient("logp")]
    shares = [[0.15, 0.5, 0.05, 0.3]] * 2
    for i, token in enumerate((1, 3)):
        expected = [slope[i] * ((v == token) - p) for v, p in enumerate(shares[i])]
        assert nlpo.gradient("logits")[i][0] == pytest.approx(expected)


def test_stale_answers_need_no_other_correction():
    assert corrected(NLPO, None, older=True) == NLPO
    assert corrected(PPO, None, older=True) != PPO


def test_a_loss_on_plain_log_probs_of_what_a_decoder_draws_is_refused():
    stream = Stream("prompts", (Sampling(decoder=Decoder("within", within)),))
    with pytest.raises(PartError, match="trains on answers that the decoder within draws"):
        variant(PPO, streams=stream)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("mask.batches", 1.5, "mask.batches must be a whole number of at least 0"),
        ("mask.batches", -1, "mask.batches must be"),
        ("mask.batches", True, "mask.batches must be"),
        ("mask.decay", 1.5, "mask.decay must be a number from 0 to 1"),
    ],
)
def test_the_pace_of_an_average_is_checked(path, value, says):
    with pytest.raises(PartError, match=says):
        configure(NLPO, {path: value})
    assert configure(NLPO, {"mask.decay": 1}).averages["mask"].decay == 1.0
