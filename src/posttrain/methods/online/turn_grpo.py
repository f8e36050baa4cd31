"""Reinforcing Multi-Turn Reasoning in LLM Agents via Turn-Level Reward Design (Wei et al., 2025).

GRPO with a reward for each turn (MT-GRPO): a turn is compared with the same turn of the other conversations from the
prompt, and credited with those that follow it.

    A_k = Σ_{j>=k} γ^{j-k} (r_j - mean_j) / std_j,    mean and deviation over the j-th turns of the group

γ is the paper's weight of the outcome, where there are two turns. `standardise: returns` compares returns G_k instead,
`among: group` all turns of the group, as DeepSeekMath's process supervision. With one turn, and with equally many turns
of which only the last has a reward, it is online/grpo, which gives every turn the advantage of its conversation.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.turns import standardised_turns
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(GRPO, name="turn_grpo", derived={"advantage": standardised_turns})
