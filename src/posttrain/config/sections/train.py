"""`train`: how long, how fast and in which batches the policy learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Tag, model_validator

from posttrain.config.section import Section
from posttrain.config.sections.privacy import Privacy
from posttrain.config.types import Count, Fraction, NotNegative, Positive, Role, Whole, number

# The tags in angle brackets name the choices of a union; error messages leave them out.
LearningRate = Annotated[
    Annotated[Positive, Tag("<number>")] | Annotated[dict[Role, Positive], Tag("<roles>")],
    Discriminator(lambda value: "<roles>" if isinstance(value, Mapping) else "<number>"),
]
Warmup = Annotated[
    Annotated[Whole, Tag("<steps>")] | Annotated[Fraction, Tag("<fraction>")],
    Discriminator(lambda value: "<fraction>" if isinstance(number(value), float) else "<steps>"),
]


class Train(Section):
    """Length of the training, learning rate, batch sizes, checkpoints and logs."""

    steps: Count | None = None
    """Number of training steps, each on one batch of `prompts_per_step` records; null follows `epochs`."""
    epochs: Positive | None = None
    """Number of passes over the data, instead of `steps`; if both are null, one pass."""
    max_seconds: Positive | None = None
    """Time limit in seconds since the start of the run; the step under way is finished and the model saved, and null
    sets no limit."""
    prompts_per_step: Count = 16
    """Records per step: prompts, demonstrations or pairs."""
    async_steps: Whole = 0
    """Steps that sampling runs ahead of training, which is the age of the weights that draw the answers; 1 to 4 in
    practice, and 0 is on policy."""
    rollout_correction: (
        Literal["none", "tis", "icepop", "sequence_tis", "sequence_mis", "geometric_mask", "opsm"] | None
    ) = None
    """Importance weight of tokens that older weights or other arithmetic sampled: tis truncates it, icepop drops tokens
    outside a band, sequence_tis and sequence_mis do so for the weight of the whole answer, geometric_mask drops answers
    by their mean weight, opsm those with negative advantage that the policy has left; null is tis where answers may be
    stale or another engine draws them, else none."""
    tokens_per_device: Count = 16384
    """Maximum number of tokens in one forward pass; it changes memory and speed, not the result."""
    max_length: Count | None = None
    """Maximum length of a row (prompt and answer) in tokens; null takes the context length of the model."""
    learning_rate: LearningRate | None = None
    """Peak learning rate, one for all trained roles or one per role; about 1e-7 to 1e-4 for all weights, 1e-5 to 1e-3
    for LoRA, and null takes the method's, which `posttrain explain` shows."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """Decay of the learning rate after warm-up; linear and cosine end at 0."""
    warmup: Warmup = 0
    """Length of the linear warm-up, as a number of steps (whole number) or as a fraction of the run (below 1)."""
    critic_warmup: Whole = 0
    """Steps at the start in which only critics learn, and the policy and its schedule wait; 0 lets both learn at
    once."""
    weight_decay: NotNegative = 0.0
    """Decoupled weight decay of AdamW, 0 to 0.1 in practice; vectors (norms, biases) are never decayed."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    """Decay rates of AdamW's first and second moment."""
    max_grad_norm: Positive | None = 1.0
    """Maximum norm of the gradient, which is scaled down beyond it; null disables clipping."""
    privacy: Privacy | None = None
    """Differential privacy of the records; null is none."""
    broken_steps: Whole = 0
    """Maximum number of consecutive non-finite steps to skip; one more stops the run."""
    save_every: Count | None = None
    """Steps between checkpoints; null saves by time alone (`save_minutes`)."""
    save_minutes: NotNegative | None = None
    """Minutes between checkpoints, written after the step under way; null is 10 where `save_every` is null, else never;
    0 is never. With either of the two a run also saves a checkpoint at its end, so that it can be extended."""
    keep: Count = 2
    """Number of newest checkpoints to keep."""
    keep_every: Count | None = None
    """Additional checkpoints to keep for good, those at multiples of this many steps; null keeps none."""
    log_every: Count = 1
    """Steps between lines of metrics.jsonl."""
    samples_every: Count = 10
    """Steps between written samples of the policy's answers."""
    samples_tokens: bool = False
    """Whether samples also hold every token with its log-prob, for the token view of `posttrain studio`; about 30 bytes
    a token."""

    @model_validator(mode="after")
    def _one_length(self) -> Train:
        if self.steps is not None and self.epochs is not None:
            raise ValueError(
                f"steps={self.steps} and epochs={self.epochs:g} both say when to stop; remove one or set it to null"
            )
        return self
