"""Checkpoints of which every process writes its own part: DCP of torch.distributed, in files of safetensors.

DCP's own format is a pickle, which nothing here reads. In safetensors the place of each part is in the header of its
file, so that any number of processes can read what another number has written.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Queue
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader, HuggingFaceStorageWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from posttrain.backends.fsdp.group import Group
from posttrain.backends.fsdp.leaves import Leaf, mapped
from posttrain.errors import StorageError

FOLDER = "shards"


class Shards:
    """Copies what this process holds, and writes the copies while training goes on, in a thread with its own group."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self._staged: Queue[tuple[int, dict[str, Tensor]]] = Queue()
        self._count = 0  # of copies that were taken, the same in all processes
        self._thread: threading.Thread | None = None

    def stage(self, tree: Any) -> Any:
        """Copy the divided leaves of a tree; return the tree with their names, and with whole tensors for the others.

        The processes that follow wait for the folder from now on.
        """
        copies: dict[str, Tensor] = {}
        names: dict[int, str] = {}

        def copied(leaf: Leaf, place: str) -> Any:
            if not leaf.divided:
                return leaf.gathered()
            if id(leaf) not in names:
                names[id(leaf)] = place
                copies[place] = leaf.on_host(self.group.host_mesh, copied=True)
            return names[id(leaf)]

        named = mapped(tree, copied)
        self._count += 1
        self._staged.put((self._count, copies))
        if self.group.rank and self._thread is None:
            self._thread = threading.Thread(target=self._follow, name="shards", daemon=True)
            self._thread.start()
        return named

    def write(self, folder: Path) -> None:
        """Write the copies of all processes into a folder. Called in the first process; the others follow.

        Raises OSError where one cannot write, WorkerError where one has ended.
        """
        number = self._count
        try:
            dist.broadcast_object_list([str(folder), number], src=0, group=self.group.files)
            self._write(folder, number)
        except RuntimeError as error:
            raise self.group.failure(error) from error
        except CheckpointException as error:
            raise OSError(f"{folder}: {'; '.join(map(str, error.failures.values()))}") from error

    def _follow(self) -> None:
        while True:
            told: list[Any] = [None, None]
            try:
                dist.broadcast_object_list(told, src=0, group=self.group.files)
            except RuntimeError:  # the first process has ended
                return
            with suppress(CheckpointException):  # which the first process raises, too
                self._write(Path(told[0]), told[1])

    def _write(self, folder: Path, number: int) -> None:
        taken, copies = self._staged.get()
        while taken != number:  # an older copy, which was never written; or this process is not so far
            taken, copies = self._staged.get()
        writer = HuggingFaceStorageWriter(str(folder), save_distributed=True)
        save(copies, storage_writer=writer, process_group=self.group.files)


def shapes(folder: Path) -> dict[str, Tensor]:
    """What a folder holds, by name, without values. Raises StorageError if it cannot be read."""
    try:
        known = HuggingFaceStorageReader(str(folder)).read_metadata().state_dict_metadata
    except (OSError, ValueError, KeyError) as error:
        raise StorageError(f"{folder}: cannot be read ({error}); resume from another checkpoint") from error
    return {n: torch.empty(x.size, dtype=x.properties.dtype, device="meta") for n, x in known.items()}  # type: ignore[union-attr]


@torch.no_grad()
def read(folder: Path, leaves: Mapping[str, Leaf], group: Group) -> None:
    """Fill leaves with this process's part of the tensors of a folder. All processes call this."""
    targets = {name: leaf.on_host(group.host_mesh, copied=False) for name, leaf in leaves.items()}
    load(targets, storage_reader=HuggingFaceStorageReader(str(folder)), process_group=group.files)
    for name, leaf in leaves.items():
        leaf.part.copy_(targets[name].to_local().view_as(leaf.part))
