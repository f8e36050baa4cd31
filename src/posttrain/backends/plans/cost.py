"""What a call costs on a mesh of devices: seconds, and memory of a device. Additive in its parts, monotone in its work.

    T = FLOPs / (devices · flops) · (m + pp - 1) / m  +  bytes of collectives / link

A mesh is dp x tp x pp: rows are divided over dp, layers' matrices over tp, layers over pp. Weights of a model that is
trained, its gradients and AdamW's numbers are divided over dp as well (FSDP), and gathered in every pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from posttrain.backends.plans.calls import Call, Load, Size
from posttrain.backends.plans.cluster import Cluster

GB, TERA = 1e9, 1e12
MICROS = 8  # micro-batches that flow through a pipeline
OPTIMISER = 10  # bytes a parameter: AdamW's two numbers and the second half of a bfloat16 weight


@dataclass(frozen=True)
class Mesh:
    """Devices `first` to `first` + dp · tp · pp, and how they divide the work."""

    first: int
    dp: int
    tp: int = 1
    pp: int = 1

    @property
    def count(self) -> int:
        """Its devices."""
        return self.dp * self.tp * self.pp

    @property
    def devices(self) -> range:
        """Their numbers."""
        return range(self.first, self.first + self.count)

    def overlaps(self, other: Mesh) -> bool:
        """Whether a device is in both."""
        return self.first < other.first + other.count and other.first < self.first + self.count


def seconds(call: Call, size: Size, load: Load, mesh: Mesh, cluster: Cluster) -> float:
    """Seconds of one call on a mesh."""
    if call.kind == "generate":
        return _generating(size, load, mesh, cluster)
    passes = load.passes if call.kind == "train" else 1
    factor = 3 if call.kind == "train" else 1  # the backward pass is two forward passes
    compute = passes * factor * flops(size, load.tokens, (load.prompt + load.answer) / 2) / _speed(mesh, cluster)
    bubble = (MICROS + mesh.pp - 1) / MICROS
    exchange = passes * factor * _tensor_parallel(size, load.tokens, mesh, cluster)
    if call.kind == "train":
        exchange += load.updates * 3 * _gathered(size, mesh) / _link(mesh, cluster)  # twice the weights, the gradient
    return compute * bubble + exchange


def flops(size: Size, tokens: float, earlier: float) -> float:
    """FLOPs of a forward pass: 2 a parameter and token, and 4 a layer, state and earlier token for attention.

    `earlier`: tokens before one, in the mean: half of a row that is read as a whole.
    """
    return tokens * (2 * size.parameters + 4 * size.layers * size.width * earlier)


def _generating(size: Size, load: Load, mesh: Mesh, cluster: Cluster) -> float:
    """Reading the prompts, then one step for each token of the longest answer: bound by FLOPs or by memory."""
    rows = -(-load.answers // mesh.dp)  # one replica has the most
    prompts = load.answers * load.prompt
    reading = flops(size, prompts, load.prompt / 2) / _speed(mesh, cluster)
    one = Mesh(mesh.first, 1, mesh.tp, mesh.pp)
    compute = flops(size, rows, load.prompt + load.answer / 2) / _speed(one, cluster)
    weights = size.parameters * size.bytes / mesh.tp  # every stage reads its own once for each of pp groups of rows
    cache = rows * kv_bytes(size) * (load.prompt + load.answer / 2) / (mesh.tp * mesh.pp)
    memory = (weights + cache) / (cluster.bandwidth * GB)
    step = max(compute, memory) + _tensor_parallel(size, rows * mesh.dp, mesh, cluster)
    return reading + load.answer * step


def kv_bytes(size: Size) -> float:
    """Bytes of the keys and values of a token."""
    return 2 * size.layers * size.kv_width * size.bytes


def _speed(mesh: Mesh, cluster: Cluster) -> float:
    return mesh.count * cluster.flops * TERA


def _tensor_parallel(size: Size, tokens: float, mesh: Mesh, cluster: Cluster) -> float:
    """Two all-reduces of the states in every layer."""
    states = 2 * size.layers * tokens / mesh.dp / mesh.pp * size.width * size.bytes
    return 2 * (mesh.tp - 1) / mesh.tp * states / (cluster.link(mesh.first, mesh.tp) * GB)


def _gathered(size: Size, mesh: Mesh) -> float:
    """Bytes that a device receives when the weights are gathered over dp."""
    return (mesh.dp - 1) / mesh.dp * size.parameters * size.bytes / (mesh.tp * mesh.pp)


def _link(mesh: Mesh, cluster: Cluster) -> float:
    return cluster.link(mesh.first, mesh.count) * GB


def memory(call: Call, size: Size, load: Load, mesh: Mesh) -> float:
    """GB of a device while a call runs, without what other roles keep there."""
    cut = mesh.tp * mesh.pp
    weights = size.parameters * size.bytes / cut
    if call.kind == "generate":
        rows = -(-load.answers // mesh.dp)
        return (weights + rows * (load.prompt + load.answer) * kv_bytes(size) / cut) / GB
    if call.kind == "train":
        states = size.layers * load.tokens / mesh.dp / MICROS * size.width * size.bytes / cut
        return (size.parameters * (2 * size.bytes + OPTIMISER) / cut / mesh.dp + states) / GB
    return weights / GB


def kept(call: Call, size: Size, mesh: Mesh) -> float:
    """GB of a device that a role holds between its calls: that of a model that is trained, else its weights."""
    cut = mesh.tp * mesh.pp
    if call.kind == "train":
        return size.parameters * (size.bytes + OPTIMISER) / cut / mesh.dp / GB
    return 0.0 if call.kind == "generate" else size.parameters * size.bytes / cut / GB
