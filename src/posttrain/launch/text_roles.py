"""The text roles of a run file: models behind endpoints, and models that do not share the policy's vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.config.load import check
from posttrain.config.sections.model import RoleModel
from posttrain.data.chat.encode import Encoder
from posttrain.errors import ConfigError, ModelError
from posttrain.launch.models import load, read_template
from posttrain.models.loading.load import Loaded
from posttrain.models.mix import gives_one
from posttrain.roles.endpoint import EndpointRole
from posttrain.roles.model import ModelRole
from posttrain.roles.protocol import TextRole
from posttrain.roles.reward import WEIGHTS
from posttrain.training.named_rewards import models_of

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile


def text_roles(run: RunFile, others: Mapping[str, Loaded], folder: Path | None) -> dict[str, TextRole]:
    """Create the text roles. `others`: loaded models of other vocabularies; `folder`: where endpoints cache replies."""
    roles: dict[str, TextRole] = {}
    for name, entry in run.models.items():
        if entry.endpoint is not None:
            roles[name] = EndpointRole(name, entry.endpoint, folder)
        elif name in others:
            roles[name] = _model_role(run, name, entry, others[name])
    return roles


def reward_models(run: RunFile, folder: Path | None) -> dict[str, TextRole]:
    """Load the models that rewards read and that are no roles of the run, each of them once."""
    roles: dict[str, TextRole] = {}
    for name, entry in _reward_models(run).items():
        if entry.endpoint is not None:
            roles[name] = EndpointRole(name, entry.endpoint, folder, where="rewards.model")
        else:
            roles[name] = _model_role(run, "model", entry, load(entry, run), "rewards.model")
    return roles


def _reward_models(run: RunFile) -> dict[str, RoleModel]:
    models = {}
    for name, said in models_of(run).items():
        models[name] = check(RoleModel, {"path": said} if isinstance(said, str) else dict(said), "rewards.model")
        if models[name].shared:
            raise ConfigError("rewards.model: a model of the policy's weights is named by its role: model: policy")
    return models


def check_endpoints(run: RunFile) -> None:
    """Raise ConfigError for endpoint settings that no client accepts."""
    for name, entry in run.models.items():
        if entry.endpoint is not None:
            EndpointRole(name, entry.endpoint)
    for name, entry in _reward_models(run).items():
        if entry.endpoint is not None:
            EndpointRole(name, entry.endpoint, where="rewards.model")


def check_scores(run: RunFile, others: Mapping[str, Loaded]) -> None:
    """Raise ModelError for a role whose scores are rewards but that has no score head."""
    for name, loaded in others.items():
        if name in WEIGHTS and not _has_score(loaded):
            raise ModelError(
                f"models.{name}: {loaded.name} has another tokenizer than the policy {run.model.path}, and no score "
                "head of one number, so it cannot score answers; give a reward model: a sequence classifier with one "
                "label, or a folder that reward/bradley_terry has trained"
            )


def _model_role(run: RunFile, name: str, spec: RoleModel, loaded: Loaded, where: str | None = None) -> ModelRole:
    """Create the role of a model that has its own encoder, learner and sampler."""
    network, context = loaded.network, loaded.network.context
    learner = LocalLearner({name: network.requires_grad_(False)}, tokens_per_device=run.train.tokens_per_device)
    sampler = LocalSampler({name: network}, loaded.stop, run.sampling.slots)
    config = network.trunk.config
    classifier = any("SequenceClassification" in kind for kind in config.architectures or ())
    return ModelRole(
        name,
        Encoder(
            loaded.tokenizer,
            context,
            read_template(spec, where or f"models.{name}"),
            stop=loaded.stop,
            template_settings=spec.chat_template_kwargs,
        ),
        learner.forward,
        sampler.generate,
        writes=network.writes,
        scores=_has_score(loaded),
        padding=config.get_text_config().pad_token_id if classifier else None,
        gated="gate" in network.heads,
        where=where,
    )


def _has_score(loaded: Loaded) -> bool:
    heads = loaded.network.heads
    combined = loaded.network.members is not None
    return "score" in heads and (combined or gives_one(heads))
