"""Decoding steps: the logits of the next token for all running sequences.

Decoding steps are launch-bound. On a GPU a step is therefore captured once for each of a few shapes and then replayed
as one CUDA graph. Captured or not, it is the same function of the same tensors, and reads the trainer's weights in
place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from posttrain.models.attention import Decode
from posttrain.models.cache import Cache
from posttrain.models.kernels.decode_step import PAGE
from posttrain.models.kernels.elementwise import linear
from posttrain.models.llama import Edit
from posttrain.models.network import Network

BLOCK = 32  # slots whose attention is computed together on a CPU, as wide as their longest sequence,
SIMILAR = 0.75  # and together with neighbouring blocks if the shorter is at least this fraction of the longer
WIDTH_UNIT = 256  # graphs read a multiple of this number of positions of the cache
MAX_PAGE = 1024  # positions of a page on a GPU, where reading part of a page costs nothing extra
SPARE = 1  # slots of the cache that the padding of a graph writes to

Step = Callable[[], Tensor]
Capture = Callable[[Step], Step]  # -> a step that does the same on the same memory

_log = logging.getLogger(__name__)


class Decoding:
    """Decoding steps of one network, for sequences in the first slots of its cache.

    A CPU computes the attention in blocks of slots, since reading keys and values dominates its cost; a GPU all at
    once.
    """

    def __init__(self, network: Network, slots: int, capacity: int, edit: Edit | None = None) -> None:
        # On a CPU torch reads whole pages, because it would have to copy part of one first.
        page = PAGE if network.device.type == "cpu" else min(MAX_PAGE, -(-capacity // WIDTH_UNIT) * WIDTH_UNIT)
        self.network = network
        self.cache = Cache(slots + SPARE, capacity, page)
        self.edit = edit  # of what leaves each layer
        self.capture = capture_on(network.device) if edit is None else None
        self._seen: set[tuple[int, int]] = set()  # shapes
        self._steps: dict[tuple[int, int], tuple[Tensor, Step]] = {}  # shape -> inputs, captured step
        self._captured_size = self.cache.capacity, self.cache.slots

    def logits(self, newest: Sequence[int], positions: Sequence[int]) -> Tensor:
        """Logits [S, V] after the newest tokens, which are at these positions. Valid until the next call."""
        count, width, rows = len(newest), max(positions) + 1, self._rows(newest, positions)
        if self.capture is None:
            return self._step(rows, list(merged_blocks(positions, self.block, self.cache.page)))
        shape = min(_padded(count), self.cache.slots), min(-(-width // WIDTH_UNIT) * WIDTH_UNIT, self.cache.capacity)
        padding = rows.new_tensor([0, 0, self.cache.slots - SPARE])
        rows = torch.cat([rows, padding[:, None].expand(3, shape[0] - count)], 1)
        return self._replayed(rows, shape)[:count]

    def states(self, newest: Sequence[int], positions: Sequence[int]) -> Tensor:
        """The hidden states [S, D] that `logits` reads, which a decoder asks for. Never captured."""
        return self._states(self._rows(newest, positions), list(merged_blocks(positions, self.block, self.cache.page)))

    def _rows(self, newest: Sequence[int], positions: Sequence[int]) -> Tensor:
        """Tokens, positions, and the slots that keys and values are written to: [3, S]. The cache has room for them."""
        if max(positions) >= self.cache.capacity:
            self.cache.reserve(min(2 * self.cache.capacity, self.network.context))
        return torch.tensor([newest, positions, range(len(newest))], device=self.network.device)

    @property
    def block(self) -> int:
        """Slots of a block: neighbours, whose sequences should be about equally long."""
        return self.cache.slots if self.network.device.type != "cpu" or self.cache.compiled() else BLOCK

    def _step(self, rows: Tensor, blocks: Sequence[tuple[int, int]]) -> Tensor:
        """One step for the rows [3, S] of `_rows`: [S, V]."""
        return self.network.logits(self._states(rows, blocks), linear)

    def _states(self, rows: Tensor, blocks: Sequence[tuple[int, int]]) -> Tensor:
        tokens, positions, slots = rows.unbind()
        return self.network.states(tokens, Decode(positions, slots, blocks, self.cache), self.edit)

    def _replayed(self, rows: Tensor, shape: tuple[int, int]) -> Tensor:
        if self._captured_size != (self.cache.capacity, self.cache.slots):  # the cache has moved in memory
            self._steps, self._captured_size = {}, (self.cache.capacity, self.cache.slots)
        if shape not in self._steps:
            if shape not in self._seen or self.capture is None:  # a shape that occurs once is not worth a graph
                self._seen.add(shape)
                return self._step(rows, [shape])
            self._steps[shape] = self._captured(rows.clone(), shape)
        inputs, step = self._steps[shape]
        inputs.copy_(rows)
        return step()

    def _captured(self, inputs: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Step]:
        assert self.capture is not None

        def step() -> Tensor:
            return self._step(inputs, [shape])

        try:
            return inputs, self.capture(step)
        except RuntimeError as error:
            name = type(self.network).__name__
            _log.warning("%s cannot be captured as a CUDA graph (%s): sampling launches kernel by kernel", name, error)
            self.capture = None
            return inputs, step

    def state(self) -> dict[str, object]:
        """The shapes (slots, width) that have been captured, for tests."""
        return {"captured": list(self._steps)}


def merged_blocks(positions: Sequence[int], size: int, page: int) -> Iterator[tuple[int, int]]:
    """Yield slots and width, in whole pages, of each block. Neighbours of similar width are merged."""
    count = widest = 0
    for start in range(0, len(positions), size):
        block = positions[start : start + size]
        width = -(-(max(block) + 1) // page) * page
        if count and min(width, widest) < SIMILAR * max(width, widest):
            yield count, widest
            count = widest = 0
        count, widest = count + len(block), max(width, widest)
    yield count, widest


def _padded(count: int) -> int:
    """Round up to a power of two up to 8, to a multiple of 8 up to 64, and to a multiple of 16 beyond."""
    if count <= 8:
        return 1 << (count - 1).bit_length()
    unit = 8 if count <= 64 else 16
    return -(-count // unit) * unit


def capture_on(device: torch.device) -> Capture | None:
    """How steps are captured on a device; None where kernels need no launch.

    The graphs of a network share memory, so the result of one must be read before the next one runs.
    """
    if device.type != "cuda":
        return None
    pool = torch.cuda.graph_pool_handle()

    def capture(step: Step) -> Step:
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            step()  # so that libraries allocate their workspace outside the graph
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            scores = step()

        def replay() -> Tensor:
            graph.replay()
            return scores

        return replay

    return capture
