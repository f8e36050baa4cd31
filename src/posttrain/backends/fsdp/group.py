"""A group of processes that run the same calls: the first says which, the others follow.

The first process is the controller: it reads the data, asks the rewards and writes the run folder, and it computes its
share like the others. What a call computes together goes through the collectives of torch.distributed. The first
process starts the others, unless torchrun has started all of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed import TCPStore  # type: ignore[attr-defined]
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

from posttrain.catalogue.index import import_file
from posttrain.errors import PosttrainError, WorkerError
from posttrain.machine.timeline import Timeline, nothing

IDLE = timedelta(days=30)  # how long a process may wait for the next call: as long as answers are sampled and scored
LOCAL = "127.0.0.1"


class Group:
    """The process group of this process. There is one at a time in a process.

    `mesh` is what models are sharded over, `device` that of this process. `objects` are those that calls go to.
    """

    def __init__(self, rank: int, size: int, device: torch.device, timeout: float, store: Any = None) -> None:
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        how = {} if store is None else {"store": store, "rank": rank, "world_size": size}
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout), **how)
        self.rank = rank
        self.size = size
        self.timeout = timeout
        self.device = device
        self.mesh: DeviceMesh = init_device_mesh(device.type, (size,))
        self.host_mesh = self.mesh if device.type == "cpu" else init_device_mesh("cpu", (size,))
        self.timeline: Any = nothing
        self.objects: dict[int, Any] = {}
        self.dropped: list[int] = []
        self.children: dict[int, Child] = {}
        patience = timedelta(seconds=timeout) if rank == 0 else IDLE  # the others wait for its next call
        self.files = dist.new_group(backend="gloo", timeout=patience)  # of the threads that write checkpoints
        self._calls = dist.new_group(backend="gloo", timeout=patience)
        self.scratch: Path | None = None  # a folder of logs that nobody asked for
        self._made = 0
        self._failed = False  # whether the processes no longer do the same
        self.closed = False

    # ---- what the first process does

    def make(self, factory: Callable[..., Any], *arguments: Any) -> int:
        """Make an object in every process: factory(group, *arguments). Returns its number."""
        self._made += 1
        self._everywhere(("make", self._made, factory, arguments))
        return self._made

    def call(self, number: int, verb: str, *arguments: Any, each: Sequence[Any] = ()) -> Any:
        """Call a method of an object in every process; return what it returns here.

        `each`: one more argument for each process, which only that process gets. Raises WorkerError if one has ended.
        """
        return self._everywhere(("call", number, verb, arguments), each)

    def trace(self, folder: Path) -> None:
        """Let every process write its timeline to a folder from now on."""
        self.make(_trace, folder)

    def drop(self, number: int) -> None:
        """Let an object go, in every process, before the next call."""
        self.dropped.append(number)

    def close(self) -> None:
        """End the other processes. May be called twice."""
        if self.closed:
            return
        self.closed = True
        if not self._failed:  # or they wait for something else, and end when this process leaves the group
            with suppress(RuntimeError):
                self._send(None)
        dist.destroy_process_group()
        for child in self.children.values():
            child.close(patience=1 if self._failed else 10)
        self.children = {}
        if self.scratch is not None and not self._failed:  # or somebody may want to read it
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _everywhere(self, message: tuple[Any, ...], each: Sequence[Any] = ()) -> Any:
        try:
            dropped, self.dropped = self.dropped, []
            self._send((dropped, message), each)
            return self._run(dropped, message, tuple(each[:1]))
        except PosttrainError:  # which every process has raised
            raise
        except RuntimeError as error:
            raise self.failure(error) from error
        except BaseException:
            self._failed = True
            raise

    def _send(self, content: Any, each: Sequence[Any] = ()) -> None:
        """Send a call to every process, and each its own argument. What it names must be imported there before."""
        dist.broadcast_object_list([_user_files(), torch.get_default_dtype()], src=0, group=self._calls)
        own = [(content, tuple(each[n : n + 1])) for n in range(1, self.size)]
        dist.scatter_object_list([None], [None, *own], src=0, group=self._calls)

    def failure(self, error: RuntimeError) -> Exception:
        """What a failed collective means: a WorkerError if a process has ended or hangs, else the error itself."""
        self._failed = True
        if "timed out" in str(error).lower():
            return WorkerError(
                f"a process of backend: fsdp has not answered for {self.timeout:g} s (backend.timeout); the last line "
                "of each rank-N.log tells what it did; continue with --resume"
            )
        ended = self._ended()
        return error if ended is None else WorkerError(ended)

    def _ended(self) -> str | None:
        """Describe the first process that has ended; None if all run."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for rank, child in self.children.items():
                if (how := child.ended()) is not None:
                    return f"process {rank} of backend: fsdp ended {how}; continue with --resume"
            time.sleep(0.05)
        return None

    # ---- what the others do

    def follow(self) -> None:
        """Do what the first process says until it ends. An error of the user is raised there, too, so this goes on."""
        while (message := self._receive()) is not None:
            (dropped, call), own = message
            with suppress(PosttrainError):
                self._run(dropped, call, own)

    def _receive(self) -> Any:
        before: list[Any] = [None, None]
        dist.broadcast_object_list(before, src=0, group=self._calls)
        files, dtype = before
        torch.set_default_dtype(dtype)
        for file in files:
            import_file(Path(file), "the")
        received: list[Any] = [None]
        dist.scatter_object_list(received, None, src=0, group=self._calls)
        content, own = received[0]
        return None if content is None else (content, own)

    # ---- what all do

    def _run(self, dropped: Sequence[int], message: tuple[Any, ...], own: tuple[Any, ...]) -> Any:
        for number in dropped:
            self.objects.pop(number, None)
        kind, number, what, arguments = message
        if kind == "make":
            self.objects[number] = what(self, *arguments)
            return None
        with self.timeline(what):
            return getattr(self.objects[number], what)(*arguments, *own)

    def gathered(self, value: Any) -> list[Any] | None:
        """What each process has, by rank, in the first process; None in the others."""
        values: list[Any] | None = [None] * self.size if self.rank == 0 else None
        dist.gather_object(value, values, dst=0)
        return values

    def added(self, value: torch.Tensor) -> torch.Tensor:
        """Add up the tensors of all processes, in place."""
        dist.all_reduce(value)
        return value

    def shared(self, value: torch.Tensor) -> torch.Tensor:
        """A tensor of the first process in every process, on its device; the others give one without values."""
        full = torch.empty(value.shape, dtype=value.dtype, device=self.device)
        if self.rank == 0:
            full.copy_(value)
        dist.broadcast(full, src=0)
        return full

    def any(self, flag: bool) -> bool:
        """Whether a flag is true in some process."""
        found = torch.tensor(int(flag), dtype=torch.int32)
        dist.all_reduce(found, op=dist.ReduceOp.MAX)
        return bool(found)


def _trace(group: Group, folder: Path) -> None:
    group.timeline = Timeline(folder / f"rank-{group.rank}.json", group.rank, f"rank {group.rank}")


class Child:
    """A process that this one started. What it writes goes to a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def ended(self) -> str | None:
        """Describe how it ended, with the last line that it wrote; None while it runs."""
        if (code := self.process.poll()) is None:
            return None
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        signal = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"{signal} ({lines[-1]}; all of it in {self.log})" if lines else signal

    def close(self, patience: float) -> None:
        """Wait for its end, and kill it if it does not come."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(size: int, *, device: str = "cpu", timeout: float = 1800.0, logs: Path | None = None) -> Group:
    """Start the other processes of a group of this size on this machine, and return the group.

    `logs`: the folder of what each process writes, `rank-N.log`. Raises WorkerError if one does not start.
    """
    store = TCPStore(LOCAL, 0, size, is_master=True, wait_for_workers=False)
    folder = logs or Path(tempfile.mkdtemp(prefix="posttrain-"))
    children = {rank: _child(rank, size, store.port, device, timeout, folder) for rank in range(1, size)}
    try:
        _wait_for(children, store)
        group = Group(0, size, _device(device, 0), timeout, store)
    except BaseException:
        for child in children.values():
            child.process.kill()
        raise
    group.children = children
    group.scratch = folder if logs is None else None
    return group


def _wait_for(children: Mapping[int, Child], store: Any) -> None:
    for rank, child in children.items():
        while not store.check([f"started/{rank}"]):
            if (how := child.ended()) is not None:
                raise WorkerError(f"process {rank} of backend: fsdp did not start; it ended {how}")
            time.sleep(0.02)


def join_started(rank: int, size: int, port: int, device: str, timeout: float) -> Group:
    """Join the group of the process that started this one."""
    store = TCPStore(LOCAL, port, size, is_master=False)
    store.set(f"started/{rank}", "")
    return Group(rank, size, _device(device, rank), timeout, store)


def join(device: str = "cpu", timeout: float = 1800.0) -> Group:
    """Join the group that torchrun describes in the environment."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    return Group(rank, size, _device(device, int(os.environ.get("LOCAL_RANK", rank))), timeout)


def _child(rank: int, size: int, port: int, device: str, timeout: float, logs: Path) -> Child:
    settings = map(str, (rank, size, port, device, timeout))
    command = [sys.executable, "-m", "posttrain.backends.fsdp.follower", *settings]
    log = logs / f"rank-{rank}.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
    return Child(process, log)


def _device(device: str, number: int) -> torch.device:
    return torch.device("cuda", number) if device == "cuda" else torch.device(device)


def _user_files() -> list[str]:
    """The user's files that were imported, which define what a call names."""
    modules = [m for name, m in list(sys.modules.items()) if name.startswith("posttrain_file_")]
    return [m.__file__ for m in modules if m.__file__ is not None]
