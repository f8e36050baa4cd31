"""Discounts between turns, not tokens: `method: {path: online/ppo, discount: turns, turn_gamma: 0.95}`.

In a conversation of several turns a discount per token punishes long turns, and what others write would take time too.
This setting makes rewards stand at the ends of the turns that earned them, lets time pass at these ends alone, and
changes nothing else. On answers of one turn it changes nothing at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from posttrain.core.method import Method, variant
from posttrain.core.parts import Function, Part, PartError, part
from posttrain.formulas.credit import advantages, shaping, turns

# What credits tokens, and what does so between turns; what places a reward at the end, and at the ends of turns.
OVER_TURNS: dict[Function, Function] = {
    advantages.gae: turns.gae_over_turns,
    advantages.reward_to_go: turns.return_over_turns,
    shaping.terminal: shaping.dense_reward_alone,
    shaping.reward_minus_fixed_kl: shaping.dense_reward_minus_kl,
}
TIME = ("gae", "reward_to_go")


def discounted(method: Method, over: Any) -> Method:
    """Return the method with discounts between turns. PartError for another value, or a method without discounts."""
    if over != "turns":
        raise PartError(f"method.discount must be turns, not {over!r}; leave it out to discount tokens")
    parts = [p for d in method.derived.values() for p in d.part.walk()]
    if not any(p.name in TIME for p in parts):
        raise PartError(
            f"method.discount: {method.name} adds up no rewards of tokens ({' or '.join(TIME)}); take online/turn_grpo "
            "for groups, online/turn_ppo with a critic"
        )
    return variant(method, derived={k: replace(d, part=_changed(d.part)) for k, d in method.derived.items()})


def _changed(old: Part) -> Part:
    """Replace the functions of a part and of its inner parts."""
    binds = {n: _changed(b) if isinstance(b, Part) else b for n, b in old.binds}
    settings = dict(old.settings)
    if old.fn not in OVER_TURNS or binds.get("reward", "reward") != "reward" or settings.get("sign", 1.0) != 1.0:
        return Part(old.fn, tuple(binds.items()), old.settings)
    new = part(OVER_TURNS[old.fn])
    return Part(
        new.fn,
        tuple((n, binds.get(n, b)) for n, b in new.binds),
        tuple((n, settings.get(n, x)) for n, x in new.settings),
    )
