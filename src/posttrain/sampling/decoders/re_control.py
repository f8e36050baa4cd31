"""Aligning Large Language Models with Representation Editing: A Control Perspective (Kong et al., 2024).

RE-Control: the state before each token is moved along the gradient of a value of states, as a controller would. Nothing
but the last layer reads the new state. method: offline/re_control trains the value head.

    h_0 = h,    h_{i+1} = h_i + η ∇V(h_i),    logits = W h_n

Without steps it is the model, to the last bit. V is linear here: h_n = h + n η ∇V.
"""

from __future__ import annotations

import torch

from posttrain.core.decoder import Logits, Readout, States, Value


def re_control(
    policy_states: States,
    policy_readout: Readout,
    policy_value: Value,
    *,
    steps: int = 30,
    rate: float = 1.0,
) -> Logits:
    """Climb the value of the state, then predict the next token.

    Settings:
        steps: n, gradient steps before each token; at least 0, 0 is the model alone, 10 to 50 in the paper.
        rate: η, length of a step in gradients; above 0, 0.1 to 2 is usual.
    """
    states = policy_states
    for _ in range(steps):
        states = (states + rate * gradient(policy_value, states)).to(states.dtype)
    return policy_readout(states)


def gradient(value: Value, states: States) -> States:
    """∇V of each state."""
    with torch.enable_grad():
        start = states.detach().requires_grad_()
        (slope,) = torch.autograd.grad(value(start).sum(), start)
    return slope
