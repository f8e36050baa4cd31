"""What a writer of reward code who knows a world writes, and what one who does not: for the scripted speaker alone.

The right program gives each step its advantage in the exact table, r̂ = Q(s, a) - V(s) ≤ 0: what the step loses against
the best one. One step of it is enough to see what is best, which is as dense as a reward can be.
"""

from __future__ import annotations

from posttrain.learners.coding.reward_code import facts
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.world import Table, World

_ADVANTAGE = '''
def reward(state, action, after):
    """What the action loses against the best one."""
    loss = LOSSES[repr(state)][action]
    return {sign}loss, {{"loss": {sign}loss}}
'''
_NOISE = '''
def reward(state, action, after):
    """A number that has nothing to do with the task."""
    text = repr((state, action, after))
    return sum(ord(c) * (i % 7) for i, c in enumerate(text)) % 11 / 10 - 0.5
'''
_CONSTANT = "\ndef reward(state, action, after):\n    return 1.0\n"
_BROKEN = '\ndef reward(state, action, after):\n    return 1.0 if after["goal_reached"] else 0.0\n'


def right_code(world: World, table: Table) -> str:
    """Return the program that gives each step its advantage."""
    return _losses(world, table) + _ADVANTAGE.format(sign="")


def wrong_codes(world: World, table: Table) -> tuple[str, ...]:
    """Return programs that mislead (the worst step earns most), say nothing, say noise, or break."""
    return _losses(world, table) + _ADVANTAGE.format(sign="-"), _NOISE, _CONSTANT, _BROKEN


def _losses(world: World, table: Table) -> str:
    values = value_iteration(table)
    known = {
        repr(facts(world, state)): {
            a: round(float(q - values.V[i]), 4) for a, q in zip(world.actions, row, strict=True)
        }
        for i, (state, row) in enumerate(zip(table.states, values.Q, strict=True))
        if not table.terminal[i]
    }
    lines = "".join(f"    {state!r}: {losses!r},\n" for state, losses in known.items())
    return f"LOSSES = {{\n{lines}}}\n"
