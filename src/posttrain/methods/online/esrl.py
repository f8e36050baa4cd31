"""ESRL: Efficient Sampling-based Reinforcement Learning for Sequence Generation (Wang et al., 2023).

Answers are sampled without a graph and then read in one forward pass, as every method here does, and the baseline is
the mean of a queue of rewards.

    L = -Σ_t (R - b) log π(y_t),    b = mean of the latest N rewards of earlier batches

Differs from online/reinforce in the baseline. The procedure rounds/esrl adapts the number of samples and the
temperature.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.baselines import queue_mean
from posttrain.methods.online.reinforce import METHOD as REINFORCE

METHOD = variant(REINFORCE, name="esrl", derived=REINFORCE.derived | {"baseline": queue_mean})
