"""The text roles of a run file: models behind endpoints, and models that do not share the policy's vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.data.chat.encode import Encoder
from posttrain.errors import ModelError
from posttrain.launch.models import read_template
from posttrain.models.loading.load import Loaded
from posttrain.roles.endpoint import EndpointRole
from posttrain.roles.model import ModelRole
from posttrain.roles.protocol import TextRole
from posttrain.roles.reward import WEIGHTS

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile


def text_roles(run: RunFile, others: Mapping[str, Loaded], folder: Path | None) -> dict[str, TextRole]:
    """Create the text roles. `others`: loaded models of other vocabularies; `folder`: where endpoints cache replies."""
    roles: dict[str, TextRole] = {}
    for name, entry in run.models.items():
        if entry.endpoint is not None:
            roles[name] = EndpointRole(name, entry.endpoint, folder)
        elif name in others:
            roles[name] = _model_role(run, name, others[name])
    return roles


def check_endpoints(run: RunFile) -> None:
    """Raise ConfigError for endpoint settings that no client accepts."""
    for name, entry in run.models.items():
        if entry.endpoint is not None:
            EndpointRole(name, entry.endpoint)


def check_scores(run: RunFile, others: Mapping[str, Loaded]) -> None:
    """Raise ModelError for a role whose scores are rewards but that has no score head."""
    for name, loaded in others.items():
        if name in WEIGHTS and not _has_score(loaded):
            raise ModelError(
                f"models.{name}: {loaded.name} has another tokenizer than the policy {run.model.path}, and no score "
                "head of one number, so it cannot score answers; give a reward model: a sequence classifier with one "
                "label, or a folder that reward/bradley_terry has trained"
            )


def _model_role(run: RunFile, name: str, loaded: Loaded) -> ModelRole:
    """Create the role of a model that has its own encoder, learner and sampler."""
    network, context = loaded.network, loaded.network.context
    learner = LocalLearner({name: network.requires_grad_(False)}, tokens_per_device=run.train.tokens_per_device)
    sampler = LocalSampler({name: network}, loaded.stop, run.sampling.slots)
    config = network.trunk.config
    spec = run.models[name]
    classifier = any("SequenceClassification" in kind for kind in config.architectures or ())
    return ModelRole(
        name,
        Encoder(
            loaded.tokenizer,
            context,
            read_template(spec, f"models.{name}"),
            stop=loaded.stop,
            template_settings=spec.chat_template_kwargs,
        ),
        learner.forward,
        sampler.generate,
        writes=loaded.writes,
        scores=_has_score(loaded),
        padding=config.get_text_config().pad_token_id if classifier else None,
    )


def _has_score(loaded: Loaded) -> bool:
    heads = loaded.network.heads
    return "score" in heads and len(heads["score"].get_parameter("weight")) == 1
