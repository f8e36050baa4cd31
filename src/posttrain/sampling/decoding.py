"""The next token's scores for all running sequences: a step so short that starting its kernels is what takes the time.

On a GPU the step is recorded once for each of a few shapes and then replayed as one graph. Recorded and not, it is
the same function of the same tensors, and reads the trainer's weights where they lie.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from posttrain.models.attention import Cache, Decode
from posttrain.models.kernels.decode_step import PAGE
from posttrain.models.kernels.elementwise import linear
from posttrain.models.network import Network

BLOCK = 32  # slots whose attention is computed at once on a CPU, as wide as the longest sequence in them,
ALIKE = 0.75  # with those of their neighbours if the shorter is at least this part of the longer
WIDTHS = 256  # graphs look at so many places of the cache, or a multiple
LARGEST = 1024  # places of a page on a GPU, which reads parts of pages as fast
SPARE = 1  # slots of the cache that take what the padding of a graph writes

Step = Callable[[], Tensor]
Record = Callable[[Step], Step]  # -> a step that does the same to the same memory

_log = logging.getLogger(__name__)


class Decoding:
    """Reads the newest token of sequences in the first slots of a cache.

    A CPU computes the attention block by block, since what it costs is the reading of keys and values; a GPU at once.
    """

    def __init__(self, network: Network, slots: int, capacity: int) -> None:
        # On a CPU torch reads whole pages: a part of one would have to be copied first.
        page = PAGE if network.device.type == "cpu" else min(LARGEST, -(-capacity // WIDTHS) * WIDTHS)
        self.network, self.cache, self.record = network, Cache(slots + SPARE, capacity, page), recorder(network.device)
        self._seen: set[tuple[int, int]] = set()
        self._steps: dict[tuple[int, int], tuple[Tensor, Step]] = {}
        self._recorded_at = self.cache.capacity

    def scores(self, newest: Sequence[int], positions: Sequence[int]) -> Tensor:
        """Logits [S, V] after the newest tokens, which stand at these positions. Valid until the next call."""
        if max(positions) >= self.cache.capacity:
            self.cache.reserve(min(2 * self.cache.capacity, self.network.context))
        count, width = len(newest), max(positions) + 1
        rows = torch.tensor([newest, positions, range(count)], device=self.network.device)
        if self.record is None:
            return self._step(rows, list(_blocks(positions, self.block, self.cache.page)))
        shape = min(_padded(count), self.cache.slots), min(-(-width // WIDTHS) * WIDTHS, self.cache.capacity)
        padding = rows.new_tensor([0, 0, self.cache.slots - SPARE])
        rows = torch.cat([rows, padding[:, None].expand(3, shape[0] - count)], 1)
        return self._replayed(rows, shape)[:count]

    @property
    def block(self) -> int:
        """Slots of a block: neighbours whose sequences should be about equally long."""
        return self.cache.slots if self.network.device.type != "cpu" or self.cache.compiled() else BLOCK

    def _step(self, rows: Tensor, blocks: Sequence[tuple[int, int]]) -> Tensor:
        """`rows` [3, S]: tokens, positions, and the slots that keys and values go to."""
        tokens, positions, slots = rows.unbind()
        states = self.network.states(tokens, Decode(positions, slots, blocks, self.cache))
        return self.network.logits(states, linear)

    def _replayed(self, rows: Tensor, shape: tuple[int, int]) -> Tensor:
        if self._recorded_at != self.cache.capacity:  # the cache has moved
            self._steps, self._recorded_at = {}, self.cache.capacity
        if shape not in self._steps:
            if shape not in self._seen or self.record is None:  # what occurs once is not worth a graph
                self._seen.add(shape)
                return self._step(rows, [shape])
            self._steps[shape] = self._recorded(rows.clone(), shape)
        inputs, step = self._steps[shape]
        inputs.copy_(rows)
        return step()

    def _recorded(self, inputs: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Step]:
        assert self.record is not None

        def step() -> Tensor:
            return self._step(inputs, [shape])

        try:
            return inputs, self.record(step)
        except RuntimeError as error:
            name = type(self.network).__name__
            _log.warning("%s cannot be recorded as a graph (%s): sampling starts kernel by kernel", name, error)
            self.record = None
            return inputs, step


def _blocks(positions: Sequence[int], size: int, page: int) -> Iterator[tuple[int, int]]:
    """Number of slots and width in whole pages of each block; neighbours that look about equally far are one."""
    count = widest = 0
    for start in range(0, len(positions), size):
        block = positions[start : start + size]
        width = -(-(max(block) + 1) // page) * page
        if count and min(width, widest) < ALIKE * max(width, widest):
            yield count, widest
            count = widest = 0
        count, widest = count + len(block), max(width, widest)
    yield count, widest


def _padded(count: int) -> int:
    """Up to 8 a power of two, then a multiple of 8, beyond 64 one of 16."""
    if count <= 8:
        return 1 << (count - 1).bit_length()
    unit = 8 if count <= 64 else 16
    return -(-count // unit) * unit


def recorder(device: torch.device) -> Record | None:
    """How steps are recorded on a device; None where starting a kernel costs nothing.

    Graphs of one network share memory: what one returns is read before the next one runs.
    """
    if device.type != "cuda":
        return None
    pool = torch.cuda.graph_pool_handle()

    def record(step: Step) -> Step:
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            step()  # libraries allocate their work space outside the graph
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            scores = step()

        def replay() -> Tensor:
            graph.replay()
            return scores

        return replay

    return record
