import pytest
import torch

from posttrain.catalogue.index import load_decoder
from posttrain.sampling.decoders.contrastive import contrastive
from tests.models.tiny import network
from tests.sampling.decoders.drawn import check, drawn, logits, requests

EXPERT, AMATEUR = (torch.tensor([p]).log() for p in ([0.5, 0.3, 0.16, 0.04], [0.25, 0.3, 0.05, 0.4]))


def test_golden():
    """Ratios 2, 1 and 3.2 of what is plausible; the last token has less than a tenth of the best one's probability."""
    weights = contrastive(EXPERT + 3, AMATEUR - 1, alpha=0.1).softmax(-1)[0].tolist()
    assert weights == pytest.approx([2 / 6.2, 1 / 6.2, 3.2 / 6.2, 0])


def test_the_best_token_alone_is_plausible_at_one():
    assert contrastive(EXPERT, AMATEUR, alpha=1.0).softmax(-1)[0].tolist() == [1, 0, 0, 0]


def test_equal_models_make_all_plausible_tokens_equal():
    assert contrastive(EXPERT, EXPERT, alpha=0.3).softmax(-1)[0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_what_is_drawn_and_recorded_is_the_contrast():
    networks, asked = {"policy": network(seed=1), "amateur": network(seed=2)}, requests()
    made = drawn(networks, load_decoder("contrastive", {"alpha": 0.2}), asked)
    check(asked, made, lambda r, c: contrastive(*(logits(n, r, c) for n in networks.values()), alpha=0.2))
