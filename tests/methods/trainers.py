"""TRL's trainers without training: their loss code on log-probs that a test gives."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import torch


def padded(rows):
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r in rows], batch_first=True)


def mask_of(rows):
    return padded([[1] * len(r) for r in rows])


class Told:
    """In the place of TRL's model: it says the log-probs it was told. Mismatched answers consist of token 2."""

    training = is_gradient_checkpointing = False

    def __init__(self, logp=None, mismatched=None, log_sum_sq_probs=None):
        self.logp, self.mismatched, self.log_sum_sq_probs = logp, mismatched, log_sum_sq_probs

    def __call__(self, input_ids, **_):
        logp = self.mismatched if int(input_ids.max()) == 2 else self.logp
        zero = torch.zeros_like(logp)
        made = {"entropy": zero, "mean_logits": zero, "is_top1": zero.bool(), "log_sum_sq_probs": self.log_sum_sq_probs}
        return SimpleNamespace(log_probs=logp, **made)


def bare(trainer, **attributes):
    """A trainer of TRL's that was never initialised, with only what its loss reads."""
    made = object.__new__(trainer)
    alone = SimpleNamespace(
        device=torch.device("cpu"),
        gather=lambda x: x,
        gather_for_metrics=lambda x: x,
        reduce=lambda x, reduction: x,
        pad_across_processes=lambda x, **_: x,
        num_processes=1,
        process_index=0,
        sync_gradients=False,
    )
    metrics = {"train": defaultdict(list), "eval": defaultdict(list)}
    common = {"accelerator": alone, "aux_loss_enabled": False, "_metrics": metrics, "_total_train_tokens": 0}
    for name, value in (common | attributes).items():
        made.__dict__[name] = value
    return made


def flat(rows):
    return [x for row in rows for x in row]


def kept(grad, rows):
    return [grad[i, : len(r)].tolist() for i, r in enumerate(rows)]
