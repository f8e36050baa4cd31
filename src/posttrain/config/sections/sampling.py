"""`sampling`: how the policy answers prompts."""

from __future__ import annotations

from posttrain.config.section import Section
from posttrain.config.types import Count, Positive, PositiveShare, Whole


class SamplingSection(Section):
    """How the policy answers prompts during training."""

    samples: Count | None = None
    """Answers sampled per prompt, the group size of GRPO and RLOO; 4 to 64 is typical, null takes the method's
    number."""
    max_tokens: Count = 256
    """Maximum length of an answer in tokens."""
    temperature: Positive | None = None
    """Divisor of the logits, 0.6 to 1.2 in practice; null takes the method's temperature."""
    top_k: Whole = 0
    """Number of most likely tokens to sample from; 0 disables the cut, and methods that sample require 0."""
    top_p: PositiveShare = 1.0
    """Probability mass of nucleus sampling; 1 disables the cut, and methods that sample require 1."""
    stop: tuple[str, ...] = ()
    """Texts that end an answer, `["</answer>"]`, besides the end of the turn; the answer keeps the token that completes
    one, with whatever else this token says."""
    begin: str = ""
    """Words that every answer and every turn begins with, "<think>"; they count towards `max_tokens` and are not
    trained."""
    slots: Count = 64
    """Sequences sampled concurrently; more slots are faster and take more memory for keys and values."""
    spare_prompts: Whole = 0
    """Extra prompts kept in flight beside those of a step (partial rollouts); unfinished answers resume in the next
    step under the new weights."""
    replay_prompts: Whole = 0
    """Prompts of each step that are trained on again with the answers of an earlier step; the others get fresh answers,
    and 0 replays none."""
    replay_steps: Count = 4
    """Number of steps for which answers are kept to be replayed; none that is older is trained on."""
    max_age: Whole | None = None
    """Training steps by which the weights that drew a token may be older than those that learn from it; a prompt with
    an older token in any of its answers is left out; 0 to 8 in practice, and null trains on all."""

    @property
    def over_steps(self) -> bool:
        """Whether a step may train on answers that were begun for an earlier one."""
        return bool(self.spare_prompts or self.replay_prompts)
