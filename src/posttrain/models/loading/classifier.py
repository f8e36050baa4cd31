"""Reward models as sequence classifiers of transformers: a trunk and a matrix `score`, with a row for each number."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from posttrain.models.loading.quiet import quiet
from posttrain.models.loading.source import UNREADABLE, Source
from posttrain.models.mix import mix_of
from posttrain.models.network import Network

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

HEAD = "score"
BESIDE = "constant"
WEIGHT = "score.weight"  # its name in a classifier's file

_log = logging.getLogger(__name__)


def load_score(network: Network, source: Source) -> None:
    """Add the head of a reward model of transformers: a sequence classifier, with a number for each label."""
    from transformers import AutoModelForSequenceClassification

    try:
        with quiet():
            whole = AutoModelForSequenceClassification.from_pretrained(
                source.place, dtype="auto", use_safetensors=True, **source.options
            )
    except UNREADABLE as error:
        raise source.unavailable("reward model", error) from error
    network.add_head(HEAD, size=len(whole.score.weight))
    with torch.no_grad():
        network.heads[HEAD].get_parameter("weight").copy_(whole.score.weight)


def last_layer(trunk: Any) -> dict[str, Tensor]:
    """Return the weights that turn states into logits, by name. A classifier has none of its own."""
    own = {id(p) for p in trunk.get_output_embeddings().parameters()}
    return {name: p for name, p in trunk.named_parameters() if id(p) in own}


def as_classifier(
    network: Network, tokenizer: PreTrainedTokenizerBase, weights: Mapping[str, Tensor]
) -> tuple[Any, PreTrainedTokenizerBase, dict[str, Tensor]] | None:
    """Return config, tokenizer and weights with which transformers opens the network as a sequence classifier.

    `weights`: those of the trunk, as they are saved. None if transformers has no classifier with its weights, or if a
    language model has other heads than a score. The scores are those of the head but for the constants it adds.
    """
    made = _classifier_of(network)
    if made is None:
        return None
    trunk, wanted = network.trunk, _wanted(network, made)
    weight = _together(network.heads[HEAD], "weight")
    config, tokenizer = copy.deepcopy(trunk.config), padded_apart(tokenizer)
    config.dtype = trunk.dtype
    config.num_labels = len(weight)
    config.architectures = [made.__name__]
    config.problem_type = "regression" if len(weight) == 1 else None
    config.pad_token_id = tokenizer.pad_token_id
    own = {name: x.shape for name, x in weights.items()}
    own[WEIGHT] = weight.shape
    fits = all(own.get(name) == shape for name, shape in wanted.items())
    return (config, tokenizer, {WEIGHT: weight}) if fits else None


def build_shapes(network: Network) -> None:
    """Build what `as_classifier` compares with, so that a thread that saves need not.

    transformers changes torch's default dtype while it builds a model: for all threads, those that train included.
    """
    if (made := _classifier_of(network)) is not None:
        _wanted(network, made)


def _classifier_of(network: Network) -> Any | None:
    """Return the class of transformers that may open the network as a sequence classifier, or None."""
    from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING as CLASSES

    kind, only = type(network.trunk.config), not network.writes or _only_scores(network)
    linear = HEAD in network.heads and network.lora_members is None and "prototype" not in network.heads
    if not linear or not only or kind not in CLASSES:
        return None
    return CLASSES[kind]


def _wanted(network: Network, made: Any) -> dict[str, torch.Size]:
    """Return the shapes of the weights that a classifier of this class has, by name."""
    config = copy.deepcopy(network.trunk.config)
    config.num_labels, config.dtype = len(_together(network.heads[HEAD], "weight")), None
    return _shapes(made, str(config.to_json_string(use_diff=False)))


@cache
def _shapes(made: Any, description: str) -> dict[str, torch.Size]:
    """Return the shapes of a classifier's weights by name; its config is given as JSON, which can be remembered."""
    config = made.config_class.from_dict(json.loads(description))
    with torch.device("meta"):
        return {name: x.shape for name, x in made(config).state_dict().items()}


def warn_of_constants(network: Network, folder: Path) -> None:
    """Log a warning if the scores of a sequence classifier of transformers are not those of the head."""
    if _only_scores(network) and bool((bias := _together(network.heads[HEAD], "bias")).any()):
        _log.warning(
            "%s: the score head adds %s, which a sequence classifier of transformers cannot: opened there, the scores "
            "are lower by it",
            folder, ", ".join(f"{x:.3g}" for x in bias.tolist()),
        )  # fmt: skip


def _only_scores(network: Network) -> bool:
    """Whether the heads are a score and what stands beside it: of its training, its doubt, the gate of its numbers."""
    return network.heads.keys() - {BESIDE, "doubt", "gate"} == {HEAD}


def _together(head: Any, name: str) -> Tensor:
    """Return the weight or the bias of a head; of numbers that add up to one score, the sum of theirs."""
    own: Tensor = head.get_parameter(name).detach()
    mix = mix_of(head)
    return own if mix is None else (mix @ own).unsqueeze(0)


def padded_apart(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Return the tokenizer, or a copy whose padding is a token that no answer ends with.

    A classifier of transformers reads its score after the last token that is not padding. Without another special
    token the copy has no padding, and transformers then refuses batches instead of scoring them wrongly.
    """
    ends = _last_tokens(tokenizer)
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id not in ends:
        return tokenizer
    special = {int(i): str(token) for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    special |= dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
    free = [token for i, token in sorted(special.items()) if i not in ends]
    copied = copy.deepcopy(tokenizer)
    copied.pad_token = next((t for t in free if "pad" in t.lower()), free[0] if free else None)
    return copied


def _last_tokens(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Return the tokens of end and begin, and those of a short conversation as the chat template writes it."""
    ends = {tokenizer.eos_token_id, tokenizer.bos_token_id}
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    with suppress(Exception):  # a template may raise anything, and there may be none
        ends |= set(tokenizer.apply_chat_template(talk, return_dict=False))
    return ends
