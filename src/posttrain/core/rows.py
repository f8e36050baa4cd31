"""Rows: sums, means and shifts between the tokens [T] and the rows [B] of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Rows:
    """The map between tokens [T] and rows [B]. Every method of this class ignores the tokens outside the mask."""

    index: Tensor  # [T] row number of each token; rows are contiguous and in order
    mask: Tensor  # [T] bool
    count: int
    answer: Tensor | None = None  # [B] id of the answer that each row is a part of; None where every row is a whole one

    @property
    def sizes(self) -> Tensor:
        """Number of tokens of each row, inside the mask or not: [B]."""
        return torch.bincount(self.index, minlength=self.count)

    def sum(self, x: Tensor) -> Tensor:
        """Sum over the masked-in tokens of each row: [T] -> [B]."""
        masked = torch.where(self.mask, x, 0)
        return torch.segment_reduce(masked, "sum", lengths=self.sizes, unsafe=True, initial=0)

    def length(self) -> Tensor:
        """Count the masked-in tokens of each row: [B]."""
        return torch.bincount(self.index[self.mask], minlength=self.count)

    def mean(self, x: Tensor) -> Tensor:
        """Average over the masked-in tokens of each row: [T] -> [B]; 0 for a row without any."""
        return self.sum(x) / self.length().clamp(min=1)

    def spread(self, v: Tensor) -> Tensor:
        """Copy the value of each row to its masked-in tokens: [B] -> [T]; 0 outside the mask."""
        return torch.where(self.mask, v[self.index], 0)

    @property
    def trained(self) -> Tensor:
        """Whether each row has a token in the mask: [B] bool. Rows without one never count."""
        return self.length() > 0

    @property
    def counted(self) -> Tensor:
        """Mark the rows that stand for an answer in statistics: the first trained row of each answer, [B] bool."""
        if self.answer is None:
            return self.trained
        _, answer = torch.unique(self.answer, return_inverse=True)
        place = torch.arange(self.count, device=self.mask.device)
        wanted = torch.where(self.trained, place, self.count)
        first = torch.full_like(place, self.count).scatter_reduce(0, answer, wanted, "amin")
        return first[answer] == place

    def over_answer(self, v: Tensor) -> Tensor:
        """Add up the numbers of all rows of the same answer: [B] -> [B]."""
        if self.answer is None:
            return v
        ids, answer = torch.unique(self.answer, return_inverse=True)
        return v.new_zeros(len(ids)).index_add(0, answer, v)[answer]

    def position(self) -> Tensor:
        """Number the masked-in tokens of each row from 0: [T]; 0 outside the mask."""
        place, _, number = self._steps()
        return torch.zeros_like(self.index).index_copy(0, place, number)

    def at_last(self, v: Tensor) -> Tensor:
        """Place the value of each row at its last masked-in token: [B] -> [T]; 0 elsewhere."""
        place, row, number = self._steps()
        last = number == self.length()[row] - 1
        return v.new_zeros(len(self.index)).index_copy(0, place[last], v[row[last]])

    def next(self, x: Tensor) -> Tensor:
        """Shift by one: x at the next masked-in token of the row, [T] -> [T]; 0 at the last one."""
        place, row, _ = self._steps()
        same = row[:-1] == row[1:]
        return x.new_zeros(len(self.index)).index_copy(0, place[:-1][same], x[place[1:][same]])

    def previous(self, x: Tensor) -> Tensor:
        """Shift by one: x at the masked-in token of the row before, [T] -> [T]; 0 at the first one."""
        place, row, _ = self._steps()
        same = row[:-1] == row[1:]
        return x.new_zeros(len(self.index)).index_copy(0, place[1:][same], x[place[:-1][same]])

    def discount(self, x: Tensor, rate: float | Tensor) -> Tensor:
        """Sum what follows, discounted: Σ_{k≥t} rate^(k-t) x_k over the masked-in tokens of the row, [T] -> [T].

        A rate [T] of each token is that of what follows the token: rate_t rate_{t+1} ... rate_{k-1} x_k.
        """
        place, row, number = self._steps()
        if not len(place):
            return torch.zeros_like(x)
        grid = self._grid(x)
        rates = [rate] * grid.shape[1] if not isinstance(rate, Tensor) else self._grid(rate).unbind(1)
        columns = [grid[:, -1]]
        for t in range(grid.shape[1] - 2, -1, -1):
            columns.append(grid[:, t] + rates[t] * columns[-1])
        flat = torch.stack(columns[::-1], 1)[row, number]
        return x.new_zeros(len(self.index)).index_copy(0, place, flat)

    def _grid(self, x: Tensor) -> Tensor:
        """Lay the masked-in tokens of each row side by side from the left: [T] -> [B, longest]; 0 behind them."""
        place, row, number = self._steps()
        return x.new_zeros(self.count, int(self.length().max())).index_put((row, number), x[place])

    def _steps(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the flat index of each masked-in token, its row, and its number within the row: three [M]."""
        place, length = self.mask.nonzero()[:, 0], self.length()
        row = self.index[place]
        first = length.cumsum(0) - length
        return place, row, torch.arange(len(place), device=place.device) - first[row]

    def prefix_length(self) -> Tensor:
        """Count the tokens before the first masked-in one, at most all but the last of the row: [B]."""
        sizes, place = self.sizes, self.mask.nonzero()[:, 0]
        first = (sizes.cumsum(0) - 1).scatter_reduce(0, self.index[place], place, "amin")
        return (first - (sizes.cumsum(0) - sizes)).clamp(min=0)

    def prefixes(self, tokens: Tensor) -> list[bytes]:
        """Return the tokens of each row before its first masked-in one as bytes: equal bytes are equal tokens."""
        flat, width = tokens.cpu().numpy().tobytes(), tokens.element_size()
        starts = (self.sizes.cumsum(0) - self.sizes).tolist()
        return [flat[s * width : (s + n) * width] for s, n in zip(starts, self.prefix_length().tolist(), strict=True)]

    def take(self, tokens: Tensor, place: Tensor, count: int) -> Rows:
        """Select tokens. `tokens` [M]: their flat indices; `place` [B]: the new number of each old row."""
        answer = self.answer
        if answer is not None:
            kept = place >= 0
            answer = answer.new_zeros(count).index_copy(0, place[kept], answer[kept])
        return Rows(place[self.index[tokens]], self.mask[tokens], count, answer)

    def to(self, device: torch.device) -> Rows:
        """Return the map on a device."""
        answer = None if self.answer is None else self.answer.to(device)
        return Rows(self.index.to(device), self.mask.to(device), self.count, answer)
