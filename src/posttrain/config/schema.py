"""The run file: what can be set, what it may be and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Strict, Tag, field_serializer, model_validator

from posttrain.config.code import Method, Procedure, Reward
from posttrain.config.section import Pathed, Section

MAIN = "main"  # the stream that `data` fills when it names none
POLICY = "policy"

Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(gt=0)]
Whole = Annotated[int, Strict(), Field(ge=0)]
Positive = Annotated[float, Strict(), Field(gt=0)]
NotNegative = Annotated[float, Strict(), Field(ge=0)]
Fraction = Annotated[float, Strict(), Field(ge=0, lt=1)]

# The tags in angle brackets name the choices of a union; error messages leave them out.
LearningRate = Annotated[
    Annotated[Positive, Tag("<number>")] | Annotated[dict[str, Positive], Tag("<roles>")],
    Discriminator(lambda value: "<roles>" if isinstance(value, Mapping) else "<number>"),
]
Warmup = Annotated[
    Annotated[Whole, Tag("<steps>")] | Annotated[Fraction, Tag("<fraction>")],
    Discriminator(lambda value: "<fraction>" if isinstance(value, float) else "<steps>"),
]


class Lora(Section):
    """Train small low-rank matrices instead of the weights."""

    rank: Count = 16
    """rank of the two matrices"""
    alpha: Positive = 32.0
    """the update is scaled by alpha / rank"""
    targets: tuple[str, ...] | None = None
    """names of the layers that get matrices; null: every linear layer"""


class Model(Pathed):
    """A language model. Its short form is its path."""

    path: str = Field(min_length=1)
    """hub id, folder or bundled name; for a role, 'policy' shares the weights of the policy"""
    revision: str | None = None
    """branch, tag or commit of a hub model"""
    dtype: Literal["auto", "float32", "bfloat16", "float64"] = "auto"
    """number format to compute in; auto: bfloat16 where the chip multiplies it fast, else float32"""
    lora: Lora | None = None
    """low-rank adapters; null: train all weights"""
    chat_template: Path | None = None
    """Jinja file that replaces the chat template of the tokenizer"""
    activation_checkpointing: Flag = False
    """compute activations again in the backward pass: less memory, more time"""

    @property
    def shared(self) -> bool:
        """Whether the role reads the weights of the policy."""
        return self.path == POLICY

    @model_validator(mode="after")
    def _shared_is_bare(self) -> Model:
        fields = type(self).model_fields.items()
        extra = [name for name, f in fields if name != "path" and getattr(self, name) != f.default]
        if self.shared and extra:
            raise ValueError(f"shares the weights of the policy, so {' and '.join(extra)} cannot be set here")
        return self


class Data(Pathed):
    """Where records come from. Its short form is its path."""

    path: str = Field(min_length=1)
    """file, hub id or a bundled generator such as arithmetic:level=2"""
    columns: dict[str, str] = Field(default_factory=dict)
    """our name of a column: the name in the file, e.g. prompt: question"""
    answer_after: str | None = None
    """the answer is what follows this text, e.g. '####' in GSM8K"""
    size: Count | None = None
    """use at most so many records; null: all"""
    chat: Flag = False
    """put plain-text prompts and answers into messages, as an instruct model expects"""
    invalid: Literal["stop", "drop"] = "stop"
    """what rows that cannot be used do: stop the run, or be left out, counted, and listed in run.json"""


class Evaluate(Section):
    """Questions that are answered during training and never trained on."""

    data: Data
    """the questions"""
    every: Count | None = None
    """evaluate after so many steps; null: before and after training only"""
    samples: Count = 1
    """answers to each question"""
    temperature: NotNegative = 0.0
    """0 takes the most likely token"""
    max_tokens: Count | None = None
    """longest answer; null: sampling.max_tokens"""


class Sampling(Section):
    """How the policy answers while it learns."""

    samples: Count | None = None
    """answers to each prompt; null: as the method says"""
    max_tokens: Count = 256
    """longest answer, in tokens"""
    temperature: Positive | None = None
    """divides the logits; null: as the method says"""
    top_k: Whole = 0
    """draw from the k most likely tokens; 0: from all"""
    top_p: float = Field(default=1.0, gt=0, le=1, strict=True)
    """draw from the most likely tokens that have this much probability together"""
    slots: Count = 64
    """answers written at the same time"""
    spare_prompts: Whole = 0
    """prompts answered beside those of a step; answers that are unfinished when these are done go on in the next step,
    from its weights (partial rollouts)"""


class Train(Section):
    """How long, how fast and in what pieces the policy learns."""

    steps: Count | None = None
    """stop after so many steps, a step being one batch of prompts"""
    epochs: Positive | None = None
    """stop after so many passes through the data"""
    max_seconds: Positive | None = None
    """stop after the step that reaches this time, and save"""
    prompts_per_step: Count = 16
    """records in a step: prompts, demonstrations or pairs"""
    async_steps: Annotated[int, Strict(), Field(ge=0, le=1)] = 0
    """how many training steps ahead answers are drawn: 1 draws those of the next step before this one trains"""
    rollout_correction: Literal["none", "tis", "icepop"] | None = None
    """weight of tokens whose sampler was another policy: truncated importance (tis), or dropped outside a band
    (icepop); null: tis where answers may be older than the weights, else none"""
    tokens_per_device: Count = 16384
    """most tokens in one forward pass; changes memory and speed, not the result"""
    max_length: Count | None = None
    """longest row, in tokens; null: the context of the model"""
    learning_rate: LearningRate = 1.0e-6
    """peak learning rate: a number, or one for each trained role"""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """how the learning rate falls after the warm-up"""
    warmup: Warmup = 0
    """steps (a whole number) or part of the run (a fraction) in which the learning rate rises"""
    weight_decay: NotNegative = 0.0
    """AdamW's decoupled weight decay"""
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    """AdamW's decay of the first and second moment"""
    max_grad_norm: Positive | None = 1.0
    """longer gradients are scaled to this norm; null: never"""
    broken_steps: Whole = 0
    """steps in a row that are skipped because loss or gradient is not finite; one more stops the run"""
    save_every: Count | None = None
    """checkpoint after so many steps; null: at the end only"""
    keep: Count = 2
    """newest checkpoints that are kept"""
    keep_every: Count | None = None
    """besides them, keep the checkpoints of every multiple of so many steps; null: none"""
    log_every: Count = 1
    """write metrics after so many steps"""
    samples_every: Count = 10
    """write some answers after so many steps"""

    @model_validator(mode="after")
    def _one_length(self) -> Train:
        if self.steps is not None and self.epochs is not None:
            raise ValueError(
                f"steps={self.steps} and epochs={self.epochs:g} both say when to stop; remove one or set it to null"
            )
        return self


class Scoring(Section):
    """How reward functions are run."""

    workers: Count = 2
    """processes that run rewards"""
    timeout: Positive = 10.0
    """seconds after which a reward function has failed"""
    max_error_rate: float = Field(default=0.05, ge=0, le=1, strict=True)
    """stop the run when a larger part of a batch could not be scored"""


class RunFile(Section):
    """A run: which model learns what, from which data, and how."""

    model: Model
    """the policy: hub id, folder or bundled name"""
    models: dict[str, Model] = Field(default_factory=dict)
    """models in other roles: reference, reward, cost, critic, cost_critic"""
    method: Method | None = None
    """how the policy learns: a name that `posttrain methods` lists, or ./file.py"""
    procedure: Procedure | None = None
    """a loop over models and data, instead of a method"""
    data: dict[str, Data] = Field(min_length=1)
    """records: one source, or one for each stream of the method"""
    rewards: tuple[Reward, ...] = ()
    """what makes an answer good; the weighted sum is the reward"""
    scoring: Scoring = Field(default_factory=Scoring)
    """how reward functions are run"""
    sampling: Sampling = Field(default_factory=Sampling)
    """how the policy answers while it learns"""
    train: Train = Field(default_factory=Train)
    """how long, how fast and in what pieces the policy learns"""
    evaluate: Evaluate | None = None
    """questions that are answered during training and never trained on"""
    seed: Whole = 0
    """all randomness follows from it"""
    name: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")
    """folder of the run under output; null: made from the method, the model and a number"""
    output: Path = Path("runs")
    """folder that holds the runs"""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """auto, cpu, cuda or cuda:N"""

    _base: Path = Path()

    @property
    def base(self) -> Path:
        """The folder of the run file."""
        return self._base

    def model_post_init(self, context: Any) -> None:
        self._base = Path((context or {}).get("base", "."))

    @classmethod
    def expand(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        made = dict(value)
        data = made.get("data")
        if isinstance(data, str) or (isinstance(data, Mapping) and data.keys() & Data.model_fields.keys()):
            made["data"] = {MAIN: data}
        if isinstance(made.get("rewards"), str):
            made["rewards"] = [made["rewards"]]
        return made

    @field_serializer("data")
    def _as_written(self, data: dict[str, Data]) -> Any:
        return data[MAIN] if data.keys() == {MAIN} else data

    @model_validator(mode="after")
    def _consistent(self) -> RunFile:
        if self.method and self.procedure:
            raise ValueError(
                f"method={self.method.path!r} and procedure={self.procedure.path!r} both say how to learn; keep one"
            )
        if not self.method and not self.procedure:
            raise ValueError("method is missing: a name that `posttrain methods` lists, or ./file.py")
        if self.model.shared:
            raise ValueError("model is the policy itself: write its hub id, folder or bundled name")
        if POLICY in self.models:
            raise ValueError("models.policy cannot be set: the policy is `model`")
        return self
