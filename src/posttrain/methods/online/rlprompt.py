"""RLPrompt: Optimizing Discrete Text Prompts with Reinforcement Learning (Deng et al., 2022).

A small model writes short prompts for another model, and learns from how well that model then does. The logits of the
writer are soft Q-values, so that its prompts end up as likely as the exponential of their reward.

    L = ½ Σ_t (A_t - (V'_{t+1} - V'_t))² + ½ Σ_t (Σ_{k>=t} A_k - (R - V'_t))²    half of it, and half of it with A', V
    A = log π,    V = log Σ exp Q,    V_{T+1} = R

A' and V' are those of a moving average of the writer. R is standardised among the prompts for the same examples and
multiplied by 5 (`scaled_reward`). At the optimum Σ_t A_t = R - V_1: π(prompt) ∝ exp(R). The authors' code leaves out
the half with A' and V by default (`values_one_step.weight: 0`, `values_multi_step.weight: 0`, and the others ½); then
nothing trains V, and the optimum holds for prompts of one token. `procedure: prompts/rlprompt` gives the rewards.
Differs from the paper: where it puts an MLP between the frozen trunk and the last layer, an adapter of the last layer
(`lora: {targets: [lm_head]}`) or whatever else the run file says is trained.
"""

from posttrain.core.method import SEQUENCE_SUM, TOKEN_MEAN, Method, Sampling, Stream, Term
from posttrain.core.parts import part
from posttrain.core.vocabulary import live
from posttrain.core.weights import Average
from posttrain.formulas.losses.penalties import entropy_of
from posttrain.formulas.losses.soft_q import scaled_standardise, soft_multi_step, soft_one_step

FORWARD, REVERSED = {"level": "target_level"}, {"logp": "target_logp"}
METHOD = Method(
    name="rlprompt",
    streams=Stream("prompts", (Sampling(samples=8),)),
    fields={
        "level": live("T", "soft value V of the writer before the token", "policy", "log_partition"),
        "target_level": live("T", "the same of the moving average", "target", "log_partition"),
        "target_logp": live("T", "log-prob of the token under the moving average", "target", "logp"),
    },
    averages={"target": Average("policy", 0.999)},
    derived={"scaled_reward": scaled_standardise},
    loss={
        "one_step": Term(part(soft_one_step, **FORWARD), 0.25, SEQUENCE_SUM),
        "multi_step": Term(part(soft_multi_step, **FORWARD), 0.25, SEQUENCE_SUM),
        "values_one_step": Term(part(soft_one_step, **REVERSED), 0.25, SEQUENCE_SUM),
        "values_multi_step": Term(part(soft_multi_step, **REVERSED), 0.25, SEQUENCE_SUM),
    },
    metrics={"entropy": Term(entropy_of, reduce=TOKEN_MEAN)},
)
