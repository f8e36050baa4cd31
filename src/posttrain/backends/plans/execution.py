"""An execution plan: a mesh for every call of a step, its timeline, and whether it fits into memory.

A call begins when those before it are over, its devices are free, and the parameters of its role have arrived from the
mesh of its call before (ReaL's reallocation).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from posttrain.backends.plans.calls import Call, Load, Size
from posttrain.backends.plans.cluster import Cluster
from posttrain.backends.plans.cost import GB, Mesh, kept, memory, seconds
from posttrain.backends.plans.reallocation import Layout, received

GRAIN = 5040  # numbers that stand for all parameters of a model: divisible by small group sizes


@dataclass(frozen=True)
class Problem:
    """What is to be planned: the calls of a step, the models' sizes, the tokens, and the cluster."""

    calls: tuple[Call, ...]
    sizes: Mapping[str, Size]
    load: Load
    cluster: Cluster

    def meshes(self) -> list[Mesh]:
        """All meshes of 1, 2, 4, ... neighbours that begin at a multiple of their size; tp stays within a host."""
        counts = [2**k for k in range(self.cluster.size.bit_length()) if 2**k <= self.cluster.size]
        found = []
        for count in counts:
            for tp in (c for c in counts if count % c == 0 and c <= self.cluster.devices):
                for pp in (c for c in counts if (count // tp) % c == 0 and c <= 8):
                    firsts = range(0, self.cluster.size - count + 1, count)
                    found += [Mesh(first, count // tp // pp, tp, pp) for first in firsts]
        return found


@dataclass(frozen=True)
class Span:
    """When a call runs, in seconds since the step began. `moved`: seconds until its parameters have arrived."""

    call: Call
    mesh: Mesh
    moved: float
    begin: float
    end: float


@dataclass(frozen=True)
class ExecutionPlan:
    """A mesh for each call, by its name."""

    problem: Problem
    meshes: Mapping[str, Mesh]

    @cached_property
    def timeline(self) -> tuple[Span, ...]:
        """The spans of all calls, in their order."""
        spans: list[Span] = []
        where = {call.role: self.meshes[call.name] for call in self.problem.calls}  # where the last step left each role
        kinds = {call.role: call.kind for call in self.problem.calls}
        for call in self.problem.calls:
            mesh = self.meshes[call.name]
            moved = self._moving(call, where[call.role], kinds[call.role], mesh)
            free = max((s.end for s in spans if s.mesh.overlaps(mesh)), default=0.0)
            ready = max((s.end for s in spans if s.call.name in call.after), default=0.0)
            begin = max(free, ready) + moved
            run = seconds(call, self.problem.sizes[call.role], self.problem.load, mesh, self.problem.cluster)
            spans.append(Span(call, mesh, moved, begin, begin + run))
            where[call.role], kinds[call.role] = mesh, call.kind
        return tuple(spans)

    def _moving(self, call: Call, before: Mesh, kind: str, after: Mesh) -> float:
        """Seconds until the parameters of a call's role are where it needs them."""
        layouts = _layout(before, kind), _layout(after, call.kind)
        if layouts[0] == layouts[1]:
            return 0.0
        size, first = self.problem.sizes[call.role], min(before.first, after.first)
        last = max(before.first + before.count, after.first + after.count)
        share = received(*layouts, GRAIN) / GRAIN
        return share * size.parameters * size.bytes / (self.problem.cluster.link(first, last - first) * GB)

    @property
    def seconds(self) -> float:
        """Seconds of a step."""
        return max(span.end for span in self.timeline)

    @property
    def bubbles(self) -> float:
        """Share of all devices' time in which they compute nothing."""
        busy = sum((s.end - s.begin) * s.mesh.count for s in self.timeline)
        return 1 - busy / (self.seconds * self.problem.cluster.size)

    @cached_property
    def memory(self) -> dict[int, float]:
        """The most GB that each device needs: what roles keep there, and the largest call."""
        p = self.problem
        held, most = dict.fromkeys(range(p.cluster.size), 0.0), dict.fromkeys(range(p.cluster.size), 0.0)
        for call in p.calls:
            mesh, size = self.meshes[call.name], p.sizes[call.role]
            for device in mesh.devices:
                own = kept(call, size, mesh)
                held[device] += own
                most[device] = max(most[device], memory(call, size, p.load, mesh) - own)
        return {device: held[device] + most[device] for device in held}

    @property
    def fits(self) -> bool:
        """Whether every device has the memory."""
        return max(self.memory.values()) <= self.problem.cluster.memory

    @property
    def cost(self) -> float:
        """Seconds of a step; infinite where it does not fit."""
        return self.seconds if self.fits else math.inf


def _layout(mesh: Mesh, kind: str) -> Layout:
    """How a mesh divides parameters: over all devices where they are trained, else copied over dp."""
    return Layout(tuple(mesh.devices), mesh.count if kind == "train" else mesh.tp * mesh.pp)
