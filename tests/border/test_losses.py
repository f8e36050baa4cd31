"""The loss of a record is that of plain transformers on its joint rendering, in every family of templates.

SFT, DPO, KTO and reward models. Families and kinds of tokenizers take turns: each kind with several families.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from posttrain.core.plan import plan
from posttrain.data.collate import collate
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.methods.preference.kto import METHOD as KTO
from posttrain.methods.reward.bradley_terry import METHOD as REWARD
from posttrain.models.loading.load import as_network
from posttrain.records import Demonstration, Pair, Rating
from posttrain.training.trainer import Trainer
from tests.border.encoders import encoder_of
from tests.border.families import BY_NAME, FAMILIES
from tests.border.messages import says, user
from tests.border.models import random_model
from tests.border.reference import expected_rows, marks_of, tokens_of
from tests.border.tokenizers import KINDS
from tests.harness.recorder import Recorder

PLACES = [(family.name, KINDS[i % len(KINDS)]) for i, family in enumerate(FAMILIES)]
ASKED = (user("Capital of France?"),)


@pytest.fixture(scope="module", params=PLACES, ids="-".join)
def place(request):
    return Place(*request.param)


class Place:
    """A family with two random models, and what plain transformers says of its conversations."""

    def __init__(self, name, kind):
        self.family = BY_NAME[name]
        self.encoder = encoder_of(self.family, kind)
        self.tokenizer = self.encoder.tokenizer
        thought = self.family.thought  # where the generation prompt opens one
        self.good, self.bad = (says(f"{thought}Paris"),), (says(f"{thought} I think that it is Rome."),)
        self.other = Rating(2, (user("2+2=?"),), (says(f"{thought}4"),), False)
        self.models = {role: random_model(self.tokenizer, seed) for seed, role in enumerate(("policy", "reference"))}
        self.networks = {role: as_network(random_model(self.tokenizer, s), role) for s, role in enumerate(self.models)}
        self.networks["policy"].add_head("score", seed=3)
        self.networks["reward"] = self.networks["policy"]

    def loss(self, method, **batches):
        """The loss that the library computes of these batches in one step."""
        planned = plan(method, {s: set(b) for s, b in batches.items()})
        rates = dict.fromkeys(planned.loaded, 0.0)
        learner = Recorder({role: self.networks[role] for role in planned.loaded})
        return Trainer(planned, learner, rates=lambda _: rates).train(batches)["loss"]

    def row(self, prompt, answer):
        """Tokens and marks of plain transformers: up to the end of the turn."""
        (expected,) = expected_rows(self.tokenizer, self.family, (*prompt, *answer), len(prompt), {})
        marks = marks_of(self.tokenizer, expected)
        size = max(i for i, m in enumerate(marks) if m) + 1
        return torch.tensor([tokens_of(self.tokenizer, expected.text)[:size]]), torch.tensor([marks[:size]])

    def logp(self, role, prompt, answer):
        """The log-probability of an answer."""
        tokens, marks = self.row(prompt, answer)
        logp = self.models[role](tokens).logits[:, :-1].log_softmax(-1)
        return (logp.gather(-1, tokens[:, 1:, None])[..., 0] * marks[:, 1:]).sum()

    def log_ratio(self, prompt, answer):
        return self.logp("policy", prompt, answer) - self.logp("reference", prompt, answer)

    def score(self, prompt, answer):
        """The number of a reward model behind the token that ends the turn."""
        tokens, _ = self.row(prompt, answer)
        states = self.models["policy"].model(tokens).last_hidden_state
        return self.networks["policy"].head("score", states[0, -1:])[0]


@torch.no_grad()
def test_sft(place):
    rows = place.encoder.rows(Demonstration(1, ASKED, place.bad), "demonstrations")
    tokens, marks = place.row(ASKED, place.bad)
    expected = place.models["policy"](tokens, labels=tokens.masked_fill(~marks, -100)).loss
    with torch.enable_grad():
        assert place.loss(SFT, main=collate(rows)) == pytest.approx(float(expected), abs=1e-5)


@torch.no_grad()
def test_dpo(place):
    rows = place.encoder.rows(Pair(1, ASKED, place.good, place.bad), "pairs")
    expected = -F.logsigmoid(0.1 * (place.log_ratio(ASKED, place.good) - place.log_ratio(ASKED, place.bad)))
    with torch.enable_grad():
        assert place.loss(DPO, main=collate(rows, [(0, 1)])) == pytest.approx(float(expected), abs=1e-5)


@torch.no_grad()
def test_kto(place):
    ratings = [Rating(1, ASKED, place.good, True), place.other]
    swapped = [replace(place.other, completion=place.good), replace(ratings[0], completion=place.other.completion)]
    main, mismatched = (
        collate([row for r in some for row in place.encoder.rows(r, "ratings")]) for some in (ratings, swapped)
    )
    kl = torch.stack([place.log_ratio(r.prompt, r.completion) for r in swapped]).mean().clamp(min=0)
    gains = [0.1 * (place.log_ratio(r.prompt, r.completion) - kl) for r in ratings]
    expected = (torch.sigmoid(-gains[0]) + torch.sigmoid(gains[1])) / 2
    with torch.enable_grad():
        loss = place.loss(KTO, main=main, mismatched=mismatched)
    assert loss == pytest.approx(float(expected), abs=1e-5)


@torch.no_grad()
def test_reward_model(place):
    rows = place.encoder.rows(Pair(1, ASKED, place.good, place.bad), "pairs")
    expected = -F.logsigmoid(place.score(ASKED, place.good) - place.score(ASKED, place.bad))
    with torch.enable_grad():
        assert place.loss(REWARD, main=collate(rows, [(0, 1)])) == pytest.approx(float(expected), abs=1e-5)
