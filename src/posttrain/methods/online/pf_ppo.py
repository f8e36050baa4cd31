"""Policy Filtration in RLHF to Fine-Tune LLM for Code Generation (Shen and Zhang, 2024).

PF-PPO: a reward model is most reliable about the best and the worst of several answers, so PPO learns from these two.

    L = the loss of online/ppo over { argmax_i R_i, argmin_i R_i } of the answers to each prompt

Differs from online/ppo in the choice of answers; the others are sampled and scored, and cost no training.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.selection.views import best_and_worst

METHOD = variant(PPO, name="pf_ppo", streams=Stream("prompts", (Sampling(samples=5),), choose=best_and_worst))
