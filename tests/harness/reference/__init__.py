"""Methods once more, independently: float64, one sequence at a time, plain loops, torch autograd. One file a kind.

Use it as an oracle for gradients and training (tests/harness/independent.py runs it): with the library it shares only
the weights of the networks, the data, and which rows meet in an optimiser step. A method is a class of its name with
once(nets, data, memory) -> what is fixed before the passes, loss(nets, data, once, hand) -> a number to differentiate,
and end(nets, data, once, memory) for what is derived after the passes. A row is a dict: tokens, mask (trained tokens),
id, and its columns. `memory` holds the state from one batch to the next.
"""

from tests.harness.reference.actor_critic import apa, awr, ppo, ppo_adaptive_kl, ppo_penalty, ppo_ptx, safe_rlhf
from tests.harness.reference.imitation import sft
from tests.harness.reference.online import dapo, dr_grpo, grpo, gspo, nash_md, reinforce, remax, rloo
from tests.harness.reference.preference import dpo, ipo, kto, simpo
from tests.harness.reference.reward import bradley_terry
from tests.harness.reference.sequence import MAX_TOKENS

REFERENCES = {
    c.__name__: c
    for c in (
        *(sft, dpo, ipo, simpo, kto, bradley_terry, reinforce, rloo, remax, nash_md, grpo, dr_grpo, dapo, gspo),
        *(apa, awr, ppo, ppo_adaptive_kl, ppo_penalty, ppo_ptx, safe_rlhf),
    )
}

__all__ = ["MAX_TOKENS", "REFERENCES", "ppo"]
