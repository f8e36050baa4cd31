"""What every decoder has: settings with their lines, models by name, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.core.decoder import Decoder
from posttrain.core.method import Method, Sampling, Stream, variant
from posttrain.core.parts import PartError
from posttrain.errors import ConfigError
from tests.harness.settings import problems
from tests.models.tiny import network, padded
from tests.sampling.decoders.drawn import check, drawn, logits, requests


@pytest.mark.parametrize("name", catalogue.decoders())
def test_every_setting_has_its_line(name: str) -> None:
    assert not problems(catalogue.DECODERS.function(name, None))


@pytest.mark.parametrize("name", catalogue.decoders())
def test_every_decoder_opens_with_its_paper_and_its_formula(name: str) -> None:
    text = catalogue.DECODERS.file(name).read_text(encoding="utf-8").partition("from __future__")[0]
    assert "\n    " in text
    assert " et al., " in text.splitlines()[0]


def test_a_file_of_the_user_is_a_decoder(tmp_path: Path) -> None:
    file = tmp_path / "sharp.py"
    file.write_text("def sharp(policy, *, power: float = 2.0):\n    return power * policy\n", encoding="utf-8")
    net, asked = network(seed=1), requests()
    made = drawn({"policy": net}, catalogue.load_decoder(str(file), {"power": 3.0}), asked)
    check(asked, made, lambda r, c: 3 * logits(net, r, c))


def test_wrong_names_are_errors() -> None:
    with pytest.raises(ConfigError, match="no decoder 'dear'.*did you mean 'dera'"):
        catalogue.load_decoder("dear")
    with pytest.raises(ConfigError, match=r"dera\.lan: unknown setting"):
        catalogue.load_decoder("dera", {"lan": 1.0})
    with pytest.raises(ConfigError, match="no model has the role 'reference'"):
        drawn({"policy": network()}, catalogue.load_decoder("dera"), requests())


def test_the_roles_of_a_decoder_are_read_from_its_signature() -> None:
    def some(policy, target_q1, critic_after, policy_states, *, beta=1.0): ...

    assert Decoder("some", some).roles == ("policy", "target_q1", "critic")


def test_a_loss_cannot_be_of_what_a_decoder_draws() -> None:
    grpo: Method = catalogue.load("online/grpo")
    decoder = catalogue.load_decoder("dera")
    with pytest.raises(PartError, match="trains on answers that the decoder dera draws"):
        variant(grpo, streams=Stream("prompts", (Sampling(samples=8, decoder=decoder),)))
    variant(grpo, streams=Stream("prompts", (Sampling(samples=8), Sampling(decoder=decoder, train=False))))


def test_what_runs_through_transformers_is_not_decoded() -> None:
    from posttrain.sampling.hf import HfEngine

    with pytest.raises(ConfigError, match="cannot decode with dera"):
        HfEngine({"policy": padded()}, frozenset()).generate(requests(), catalogue.load_decoder("dera"))
