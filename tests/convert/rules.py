"""What holds for every rule of every table: it names keys that exist, and does what it says with a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from posttrain.config.keys import keys
from posttrain.convert.converter import checked
from posttrain.convert.draft import Draft
from posttrain.convert.rules import Becomes, Idle, Joined, Peer, Without
from posttrain.convert.run_file_text import text_of

OURS = {key.name for key in keys()} | {"method.passes", "method.minibatches"}
ROLES = ("models.reward", "models.reference", "models.critic")
# A value of the other trainer by our key, or by its own name where the key does not tell.
SAMPLES: dict[str, Any] = {
    "train.learning_rate": 3e-4, "train.schedule": "cosine", "train.warmup": 7, "train.weight_decay": 0.2,
    "train.max_grad_norm": 0.7, "train.betas": [0.8, 0.9], "train.max_length": 77, "train.save_every": 7,
    "train.keep": 3, "train.critic_warmup": 2, "train.log_every": 3, "train.samples_every": True,
    "seed": 5, "name": "mine",
    "model.revision": "abc", "model.dtype": "bfloat16", "bf16": True, "ds.param_dtype": "bf16", "bfloat16": True,
    "model.activation_checkpointing": True, "model.chat_template": __file__, "device": True,
    "model.chat_template_kwargs": {"enable_thinking": False}, "enable_thinking": False, "mask_history": True,
    "sampling.max_tokens": 33, "sampling.temperature": 0.7, "evaluate.samples": 2, "data.size": 9,
    "models.ROLE.path": "other", "report": ["wandb"], "model.new_tokens": ["<a>"],
    "model.new_special_tokens": "<a>,<b>", "model.resize": True, "data.order": False, "warmup_ratio": 0.1,
}  # fmt: skip


def check_rule(peer: Peer, key: str, draft: Callable[[dict[str, Any]], Draft]) -> None:
    """Check one rule. `draft` converts settings that are enough for a run file, with some more."""
    rule, name = peer.rules[key], f"{key}x" if key.endswith(".") else key
    if isinstance(rule, Becomes | Joined):
        ours = next((rule.key.replace(role, "models.ROLE") for role in ROLES if rule.key.startswith(role)), rule.key)
        assert ours in OURS
    if isinstance(rule, Becomes):
        value = SAMPLES.get(key, SAMPLES.get(ours))
        made = draft({key: value})
        assert made.values[rule.key] == rule.value(value)
        assert made.origins[rule.key] == key
        checked(text_of(made, peer.name, "test"))
    elif isinstance(rule, Without):
        assert f"{name}: something: {rule.why}" in draft({name: "something"}).without
        assert all(name in draft({name: off}).idle for off in rule.off)
    elif isinstance(rule, Idle):
        assert name in draft({name: 1}).idle


def check_lines(text: str, *lines: str) -> None:
    """Check that a run file has these lines."""
    assert not [line for line in lines if line not in text.splitlines()]


def check_method(made: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Check the method of a run file and its settings, by their names behind `method.`."""
    assert {key: made.get(f"method.{key}") for key in expected} == expected
