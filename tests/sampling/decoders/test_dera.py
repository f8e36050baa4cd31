import pytest
import torch

from posttrain.catalogue.index import load_decoder
from posttrain.sampling.decoders.dera import dera
from tests.models.tiny import network
from tests.sampling.decoders.drawn import check, drawn, logits, requests

pytestmark = pytest.mark.paper("liu2024w47")

SFT, ALIGNED = (torch.tensor([p]).log() for p in ([0.5, 0.3, 0.2], [0.7, 0.2, 0.1]))


@pytest.mark.parametrize(
    ("lam", "golden"), [(0.5, (0.60493, 0.250465, 0.144606)), (2.0, (0.842407, 0.114613, 0.04298))]
)
def test_golden(lam, golden):
    assert dera(ALIGNED, SFT, lam=lam).softmax(-1)[0].tolist() == pytest.approx(golden, abs=1e-5)


@pytest.mark.parametrize("beta", [0.5, 3.0])
def test_the_optimum_at_one_strength_gives_the_optimum_at_another(beta):
    """π_ref e^{r/β'} / Z, trained with β' = 1, is realigned to the β that is wanted by λ = β' / β."""
    reward = torch.tensor([[1.0, -0.5, 0.3]])
    decoded = dera(SFT + reward, SFT + 4.0, lam=1 / beta).softmax(-1)  # a constant of a row changes nothing
    torch.testing.assert_close(decoded, (SFT + reward / beta).softmax(-1))


def test_what_is_drawn_and_recorded_is_the_interpolation():
    networks, asked = {"policy": network(seed=1), "reference": network(seed=2)}, requests(temperature=1.3)
    made = drawn(networks, load_decoder("dera", {"lam": 0.3}), asked)
    check(asked, made, lambda r, c: 0.3 * logits(networks["policy"], r, c) + 0.7 * logits(networks["reference"], r, c))


@pytest.mark.parametrize(("lam", "role"), [(0.0, "reference"), (1.0, "policy")])
def test_at_its_ends_it_is_either_model_bit_for_bit(lam, role):
    networks, asked = {"policy": network(seed=1), "reference": network(seed=2)}, requests()
    assert drawn(networks, load_decoder("dera", {"lam": lam}), asked) == drawn(networks, ((role, 1.0),), asked)
