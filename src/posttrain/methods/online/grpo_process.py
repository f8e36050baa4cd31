"""DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models (Shao et al., 2024).

GRPO with process supervision (sec. 4.1.3): every step of an answer has a reward, and a token is credited with the steps
that end at it or later.

    A_t = Σ_{k: step k ends at or after t} (r_k - mean) / std

Mean and deviation are those of all steps of all answers to the prompt. Differs from online/grpo in the advantage. The
steps are the `Spans` of a reward; a reward of the whole answer is one more step, at its end. A reward of exactly 0 is
no step: say -1 of a wrong one.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.steps import standardised_steps
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(GRPO, name="grpo_process", derived={"advantage": standardised_steps})
