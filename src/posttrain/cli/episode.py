"""An episode turn by turn, for a terminal: what the policy read, what it wrote, and what the environment answered.

Trained tokens are coloured, or in brackets where there is no colour.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from posttrain.data.chat.show import CONTEXT, Marked, visible
from posttrain.records import Episode, Segment
from posttrain.turns import turn_ends


def shown(e: Episode, tokenizer: Any) -> Group:
    """Return the episode as it is printed. The text is decoded from the tokens, special ones included."""
    return Group(*_parts(e, tokenizer))


def _parts(e: Episode, tokenizer: Any) -> Iterator[RenderableType]:
    yield Rule(Text(f"{e.prompt.where or f'prompt {e.prompt.id}'}, sample {e.sample}"), align="left")
    yield Text(visible(_decoded(tokenizer, e.prompt_tokens)), style=CONTEXT)
    turn, ends = 1, turn_ends(e)
    for i, s in enumerate(e.segments):
        if s.context is not None:
            yield Rule(Text("the chat template writes earlier turns otherwise"), align="left", style=CONTEXT)
            yield Text(visible(_decoded(tokenizer, s.context)), style=CONTEXT)
        yield Rule(Text(_title(s, turn)), align="left", style=CONTEXT)
        yield Marked(((visible(_decoded(tokenizer, s.tokens)), s.logp is not None and s.trained),))
        turn += i in ends
    yield Rule(Text(_end(e)), align="left")


def _title(s: Segment, turn: int) -> str:
    if s.logp is None:
        return f"environment: {len(s.tokens)} tokens"
    if s.guided:
        return f"turn {turn} begins with {len(s.tokens)} tokens that were forced"
    said = "" if s.reward is None else f", reward {s.reward:g}"
    return f"turn {turn}: {len(s.tokens)} tokens{'' if s.ended else ', cut at the limit'}{said}"


def _end(e: Episode) -> str:
    if e.error:
        return f"failed: {visible(e.error)}"
    how = {"turns": "cut at the most turns", "tokens": "cut: no room for more tokens"}.get(e.cut, "over")
    rewards = "".join(f", {name} {x:g}" for name, x in e.rewards.items() if x is not None)
    rows = f", {len(e.rows)} rows" if len(e.rows) > 1 else ""
    return f"{how}; reward {'none' if e.reward is None else f'{e.reward:g}'}{rewards}{rows}"


def _decoded(tokenizer: Any, tokens: tuple[int, ...]) -> str:
    return str(tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))
