"""From rows of tokens to a Batch of flat tensors."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, pairwise, repeat
from typing import Any, TypeVar

import torch

from posttrain.core.batch import Batch
from posttrain.core.rows import Rows
from posttrain.errors import DataError
from posttrain.records import Episode, Numbers, Row, Segment
from posttrain.seeds import seed_for

T = TypeVar("T")
COST = "cost"  # a tensor that a reward of this name brings
DENSE = "dense_reward"
NAMED, WEIGHTS = "named_rewards", "reward_weights"  # every reward of the run by itself


def collate(
    rows: Sequence[Row], pairs: Sequence[tuple[int, int]] | None = None, scalars: Mapping[str, float] | None = None
) -> Batch:
    """Lay rows end to end. `pairs`: row numbers (preferred, rejected); `scalars`: numbers of the whole batch.

    Columns of the rows become tensors: one number per row [B], `Numbers` per row [B, K], or a sequence per row [T]; NaN
    and inf in what nobody wrote become 0. Every row must have the same columns, as long as its tokens, and its first
    token cannot be trained (nothing stands before it): ValueError.
    """
    _check(rows)
    lengths = torch.tensor([len(r.tokens) for r in rows])
    index, answer = torch.arange(len(rows)).repeat_interleave(lengths), _answers(rows)
    values: dict[str, Any] = {
        "tokens": torch.tensor([t for r in rows for t in r.tokens]),
        "rows": Rows(index, torch.tensor([m for r in rows for m in r.trained]), len(rows), answer),
        "written": Rows(index, torch.tensor([m for r in rows for m in r.written]), len(rows), answer),
        "row_id": torch.tensor([r.id for r in rows]),
    }
    axes = {"tokens": "T", "rows": "T", "written": "T", "row_id": "B"}
    columns = {name: _column([r.columns[name] for r in rows]) for name in rows[0].columns}
    if pairs is not None:
        columns["pairs"] = torch.tensor(list(pairs), dtype=torch.long).reshape(-1, 2), "N 2"
    columns |= {name: (number, "") for name, number in (scalars or {}).items()}
    return Batch(values, axes).add({n: x for n, (x, _) in columns.items()}, {n: a for n, (_, a) in columns.items()})


def _answers(rows: Sequence[Row]) -> torch.Tensor | None:
    """Return the ids of the answers that rows are parts of; None where each is a whole one."""
    if all(r.answer is None for r in rows):
        return None
    return torch.tensor([r.id if r.answer is None else r.answer for r in rows])


def _check(rows: Sequence[Row]) -> None:
    if not rows:
        raise ValueError("a batch needs at least one row")
    for r in rows:
        if r.trained[0] or r.written[0]:
            raise ValueError(f"row {r.id}: the first token has nothing before it and cannot be trained")
        if r.columns.keys() != rows[0].columns.keys():
            odd = ", ".join(sorted(r.columns.keys() ^ rows[0].columns.keys()))
            raise ValueError(f"rows {rows[0].id} and {r.id} do not have the same columns: {odd}")
        lengths = {"trained": r.trained, "written": r.written} | {
            n: c for n, c in r.columns.items() if isinstance(c, Sequence) and not isinstance(c, Numbers)
        }
        for name, cell in lengths.items():
            if len(cell) != len(r.tokens):
                raise ValueError(f"row {r.id}: {name!r} has {len(cell)} entries for {len(r.tokens)} tokens")


def _column(cells: list[Any]) -> tuple[Any, str]:
    several = isinstance(cells[0], Numbers)
    per_token = isinstance(cells[0], Sequence) and not several
    column = torch.tensor([x for cell in cells for x in cell] if per_token else cells)
    if column.is_floating_point():
        column = column.to(torch.get_default_dtype())
    return column, "T" if per_token else "B K" if several else "B"


def paired(rows: Sequence[Row], scalars: Mapping[str, float] | None = None) -> Batch:
    """Rows that alternate preferred, rejected."""
    return collate(rows, [(i, i + 1) for i in range(0, len(rows), 2)], scalars)


def episode_row(e: Episode, **how: Any) -> Row:
    """The only row of an episode; see `episode_rows`. Raises DataError if it has several."""
    rows = episode_rows(e, **how)
    if len(rows) > 1:
        raise DataError(
            f"{e.prompt.where}: the chat template rewrites earlier turns, so that an episode of {len(rows)} rows has "
            "no value as a whole; set model.chat_template to one that leaves them as they are"
        )
    return rows[0]


def episode_rows(
    e: Episode,
    *,
    train: bool,
    temperature: float,
    step: int,
    wanted: Collection[str] = (),
    weights: Mapping[str, float] | None = None,
) -> list[Row]:
    """An episode as rows: one, or several where the chat template rewrites earlier turns, with the same reward each.

    `wanted`: names of tensors that the method reads, for those that only some methods need. `weights`: those of the
    rewards of the run that count, by name.

    Without a reward there is no column `reward`. `reward_NAME` is the reward of that name (NaN where it abstained or
    failed), `token_reward_NAME` its number for each token, `dense_reward` the whole reward at the tokens that earned
    it, `turn` the number of the turn that a token is in, `conversation` the id of the episode, `guided` whether a guide
    wrote it; `named_rewards` and `reward_weights` are the numbers and weights of all rewards in `weights`. The reward
    that is called `cost` is also the tensor of that name. Numbers are those after the transforms of the run file.
    """
    identity = seed_for("row", step, e.prompt.id, e.author, e.sample)
    written = [s.logp is not None for s in e.segments]
    marks = {
        "trained": _at_tokens(e, [train and s.trained and w for s, w in zip(e.segments, written, strict=True)]),
        "written": _at_tokens(e, written),
    }
    whole: dict[str, Any] = {
        "group": e.prompt.id,
        "author": e.author,
        "ended": e.ended,
        "temperature": temperature,
        "rollout_logp": e.logp,
        **_columns(e, wanted, weights or {}, identity),
    }
    rows: list[Row] = []
    done = 0
    for number, (before, segments) in enumerate(e.rows):
        tokens = tuple(chain.from_iterable(s.tokens for s in segments))
        own = slice(done, done := done + len(tokens))
        rows.append(
            Row(
                id=seed_for("row", identity, number) if number else identity,
                tokens=(*before, *tokens),
                **{name: (False,) * len(before) + mark[own] for name, mark in marks.items()},
                columns={name: _part(cell, len(before), own) for name, cell in whole.items()},
                answer=identity if len(e.rows) > 1 else None,
            )
        )
    return rows


def _columns(e: Episode, wanted: Collection[str], weights: Mapping[str, float], identity: int) -> dict[str, Any]:
    """The tensors of an episode that only some methods read: numbers, or tuples with one for each token."""
    columns: dict[str, Any] = {} if e.reward is None else {"reward": float(e.reward)}
    rewards = {**e.rewards, **e.shaped}
    for name in wanted:
        if (of := name.removeprefix("token_reward_")) != name and of in rewards:
            columns[name] = e.credits.get(of) or (0.0,) * len(e.tokens)
        elif (of := name.removeprefix("reward_")) in rewards and (of != name or name == COST):
            columns[name] = math.nan if (x := rewards[of]) is None else float(x)
        elif name == DENSE and e.reward is not None:
            columns[name] = _dense(e)
        elif name == "guided":
            columns[name] = _at_tokens(e, [float(s.guided) for s in e.segments])
        elif name == "turn":
            columns[name] = _at_tokens(e, _turns(e.segments))
        elif name == "conversation":
            columns[name] = identity
        elif name == NAMED:
            columns[name] = Numbers(math.nan if (x := rewards.get(of)) is None else float(x) for of in weights)
        elif name == WEIGHTS:
            columns[name] = Numbers(weights.values())
    return columns


def _part(cell: Any, before: int, own: slice) -> Any:
    """The part of a column that belongs to a row, with zeros of its type before it; a number of all rows as it is."""
    if not isinstance(cell, tuple) or isinstance(cell, Numbers):
        return cell
    return (type(cell[0])(),) * before + cell[own] if cell else (0.0,) * before


def _at_tokens(e: Episode, values: Iterable[T]) -> tuple[T, ...]:
    """Repeat a value of each segment at all of its tokens."""
    return tuple(chain.from_iterable(repeat(x, len(s.tokens)) for s, x in zip(e.segments, values, strict=True)))


def _turns(segments: Sequence[Segment]) -> list[int]:
    """Number the turns that models wrote: each segment of a model but the second one of a turn that has a guide."""
    turns = [0] * min(1, len(segments))
    for before, s in pairwise(segments):
        turns.append(turns[-1] + (s.author is not None and not s.continues(before)))
    return turns


def _dense(e: Episode) -> tuple[float, ...]:
    """The reward at the tokens that earned it; at the last one that a model wrote where no reward judged parts."""
    if "" in e.credits:
        return e.credits[""]
    written = [i for i, s in enumerate(_at_tokens(e, [s.logp is not None for s in e.segments])) if s]
    return tuple(float(e.reward or 0.0) if i == written[-1] else 0.0 for i in range(len(e.tokens)))


def episode_columns(columns: Collection[str], rewards: Collection[str]) -> set[str]:
    """Those of the columns that `episode_row` brings, if these rewards are run."""
    own = {f"{prefix}{name}" for prefix in ("reward_", "token_reward_") for name in rewards}
    return set(columns) & (own | {"turn", "conversation", "guided", DENSE, NAMED, WEIGHTS} | ({COST} & set(rewards)))


def groups(episodes: Iterable[Episode]) -> list[list[Episode]]:
    """Episodes of the same prompt together, in the order in which the prompts first appear."""
    by_prompt: dict[int, list[Episode]] = {}
    for e in episodes:
        by_prompt.setdefault(e.prompt.id, []).append(e)
    return list(by_prompt.values())
