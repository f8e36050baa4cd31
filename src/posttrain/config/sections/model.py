"""`model`, and each entry of `models`: a language model, and how it is loaded or reached."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from posttrain.config.code import plain
from posttrain.config.secrets import without_secrets
from posttrain.config.section import Pathed, Section
from posttrain.config.sections.scripted import ScriptedSpeaker
from posttrain.config.types import Count, Flag, Label, NotNegative, Positive

POLICY = "policy"
NO_POLICY = "none"  # the path of the policy of a run that has none


class Lora(Section):
    """Low-rank adapters, trained in place of the weights."""

    rank: Count = 16
    """Rank of the two matrices of an adapter; 4 to 64 is typical."""
    alpha: Positive = 32.0
    """Scale of an adapter: its update is multiplied by alpha / rank, and once or twice the rank is typical."""
    targets: tuple[str, ...] | None = None
    """Names of the layers that get adapters, such as [q_proj, v_proj]; all-linear names all but the last one, and may
    stand beside embed_tokens and lm_head; null is [all-linear]."""
    modules_to_save: tuple[str, ...] = ()
    """Names of modules that are trained in full beside the adapters, such as [embed_tokens, lm_head]."""
    members: Count = 1
    """Number of members of an ensemble of reward models, each with adapters of its own on one trunk; 3 to 10 is
    typical, and 1 is no ensemble."""
    member_layers: Count | None = None
    """Number of the last layers in which members have adapters; the layers below run once for all members. More cost
    more; null is a sixth of the layers."""
    rslora: Flag = False
    """Whether adapters are scaled by alpha / sqrt(rank) in place of alpha / rank, which suits ranks above 64."""

    @model_validator(mode="after")
    def _members_only(self) -> Lora:
        if self.members == 1 and self.member_layers is not None:
            raise ValueError("member_layers: one model is no ensemble; set members to 2 or more, or remove it")
        if self.members > 1 and self.modules_to_save:
            raise ValueError("modules_to_save: members share all weights but their adapters; remove it, or members")
        return self


class IA3(Section):
    """(IA)³: vectors that scale what some layers write or read, trained in place of the weights."""

    targets: tuple[str, ...] = ()
    """Names of the layers that are scaled, such as [k_proj, v_proj, down_proj]; none takes those that peft does for the
    architecture."""
    inputs: tuple[str, ...] | None = None
    """Those among `targets` that scale what they read, such as [down_proj], in place of what they write; null takes
    those that peft does."""


class Ensemble(Section):
    """How the scores of an ensemble's members become the score of a role."""

    by: Literal["mean", "lowest", "variance", "deviation", "posterior"] = "deviation"
    """What is read: the mean, the lowest (worst case, WCO), the mean less weight times the variance (UWO), or the mean
    less weight times the standard deviation (a lower confidence bound, LCB); posterior is the score less weight times
    the standard deviation of its last layer, for a model that reward/laplace has made."""
    weight: NotNegative = 1.0
    """How much disagreement costs, for variance and deviation; 0 is the mean, 0.1 to 2 is typical."""


class Model(Pathed):
    """A language model. The short form is its path."""

    noun: ClassVar[str] = "model"

    path: str = Field(min_length=1)
    """Hub id, folder of a model, adapter or run, .gguf file or bundled name (smollm2, tiny); none in the run of a
    procedure that trains no language model."""
    revision: str | None = None
    """Branch, tag or commit of a hub model; null takes the default branch."""
    dtype: Literal["auto", "float32", "bfloat16", "float64"] = "auto"
    """Number format of the computation; auto takes bfloat16 where the hardware multiplies it natively, else float32."""
    lora: Lora | None = None
    """Low-rank adapters; null trains all weights."""
    ia3: IA3 | None = None
    """(IA)³ in place of `lora`, {} for its defaults: a fiftieth to a hundredth of the parameters of LoRA at
    rank 16, at rates of 1e-3 to 1e-2; null has none."""
    trained: Literal["all", "heads"] = "all"
    """What is trained of the model: all (of one with adapters, these), or heads alone, a linear probe on frozen states,
    which costs no backward pass through the layers and takes rates of 1e-3 to 1e-2."""
    quantize: Literal["nf4"] | None = None
    """Number format of the frozen weights under adapters; nf4 has 4 bits (QLoRA), and needs `lora` or `ia3` and the
    extra qlora; null is `dtype`."""
    chat_template: Path | None = None
    """File with a Jinja template that replaces the tokenizer's chat template."""
    chat_template_kwargs: dict[str, Annotated[Any, Label("value")]] = Field(default_factory=dict)
    """Variables of the chat template, such as {enable_thinking: false}; those of a row come before them."""
    new_tokens: tuple[str, ...] = ()
    """Tokens to add, such as [<think>, </think>]; their embeddings start as the mean of the others."""
    new_special_tokens: tuple[str, ...] = ()
    """The same for special tokens, which are left out of decoded texts and which no text of the data can contain."""
    resize: Flag = False
    """Whether a tokenizer with more tokens than the model has embeddings gets the missing ones, or is an error."""
    activation_checkpointing: Flag = False
    """Whether the backward pass recomputes activations, which saves memory and costs about a third more time."""

    @field_validator("chat_template_kwargs")
    @classmethod
    def _plain_variables(cls, variables: dict[str, Any]) -> dict[str, Any]:
        return {name: plain(value, f"chat_template_kwargs.{name}") for name, value in variables.items()}

    @property
    def shared(self) -> bool:
        """Whether the role reads the weights of the policy."""
        return self.path == POLICY

    @property
    def absent(self) -> bool:
        """Whether the run has no policy: its procedure trains another kind of learner, or searches."""
        return self.path == NO_POLICY

    @property
    def adapters(self) -> bool:
        """Whether adapters are trained in place of the weights."""
        return self.lora is not None or self.ia3 is not None

    @model_validator(mode="after")
    def _one_kind_of_weights(self) -> Model:
        if self.lora is not None and self.ia3 is not None:
            raise ValueError("lora and ia3: a model has adapters of one kind; remove one of the two")
        if self.trained == "heads" and self.adapters:
            raise ValueError("trained: heads would leave the adapters as they begin; remove lora or ia3, or trained")
        return self

    @model_validator(mode="after")
    def _quantised_under_adapters(self) -> Model:
        if self.quantize is not None and not self.adapters:
            raise ValueError("quantize: weights of 4 bits cannot be trained; set lora: {rank: 16}, or remove it")
        if self.quantize is not None and self.lora is not None and self.lora.members > 1:
            raise ValueError("quantize: members share weights of full precision; remove it, or lora.members")
        if self.quantize is not None and self.dtype == "float64":
            raise ValueError("quantize: bitsandbytes computes in float32 or bfloat16, not in float64; set dtype")
        return self

    def _set_besides(self, key: str) -> list[str]:
        """The other keys that do not have their defaults."""
        fields = type(self).model_fields.items()
        return [n for n, f in fields if n != key and getattr(self, n) != f.get_default(call_default_factory=True)]

    @model_validator(mode="after")
    def _shared_is_bare(self) -> Model:
        extra = self._set_besides("path")
        if self.shared and extra:
            raise ValueError(f"shares the weights of the policy, so {' and '.join(extra)} cannot be set here")
        return self


class RoleModel(Model):
    """A model in another role, in this process or behind a server. The short form is its path.

    One that has another tokenizer than the policy, or is behind a server, takes part as text: it can be asked, can
    choose between options, and as `reward` or `cost` it scores answers.
    """

    path: str = ""
    """Hub id, folder of a model, adapter or run, .gguf file or bundled name (smollm2, tiny); `policy` shares the
    weights of the policy; empty for a model behind a server."""
    ensemble: Ensemble | None = None
    """How the members' scores become one, for a model that reward/ensemble has trained; null is their mean."""
    endpoint: Annotated[dict[str, Any], Label("mapping")] | None = None
    """Options of a model behind a server: the key `model`, and any other key of endpoint/endpoint.py; null loads the
    model from its path."""
    scripted: ScriptedSpeaker | None = None
    """A script of stated accuracy in place of a model, such as {accuracy: 0.8}, for procedures that ask a speaker; null
    is a model."""

    @field_validator("endpoint")
    @classmethod
    def _plain_endpoint(cls, endpoint: dict[str, Any] | None) -> dict[str, Any] | None:
        """Refuse secrets, and everything that a run file cannot hold."""
        if endpoint is None:
            return None
        return without_secrets({name: plain(value, f"endpoint.{name}") for name, value in endpoint.items()})

    @model_validator(mode="after")
    def _one_source(self) -> RoleModel:
        if not self.path and self.endpoint is None and self.scripted is None:
            raise ValueError("path or endpoint is missing: {path: FOLDER}, or {endpoint: {model: NAME, url: ADDRESS}}")
        extra = self._set_besides("endpoint")
        if self.endpoint is not None and extra:
            raise ValueError(f"endpoint names a model behind a server, so {' and '.join(extra)} cannot be set here")
        if self.scripted is not None and (extra := self._set_besides("scripted")):
            raise ValueError(f"scripted stands in for a model, so {' and '.join(extra)} cannot be set here")
        return self
