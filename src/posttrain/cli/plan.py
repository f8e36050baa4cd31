"""`posttrain plan RUN.yaml --cluster cluster.yaml`: which devices should run what, and how long a step takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from posttrain.backends.plans.calls import Load, Size
    from posttrain.backends.plans.execution import ExecutionPlan, Problem
    from posttrain.config.schema import RunFile
    from posttrain.core.method import Method


def plan(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="RUN", help="Run file.", show_default=False)],
    cluster: Annotated[
        Path,
        typer.Option(
            help="YAML: hosts, devices a host, flops (TFLOP/s), memory (GB); bandwidth, inside, between (GB/s)."
        ),
    ],
    prompt_tokens: Annotated[int, typer.Option(help="Tokens of a prompt, in the mean.", min=1)] = 256,
    tries: Annotated[int, typer.Option(help="Plans that the search looks at.", min=1)] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the search.")] = 0,
) -> None:
    """Search for the placement of a run's models on a cluster in which a step takes the least time (ReaL).

    Nothing runs: times come from a cost model of the cluster that the file describes. Keys of the run file follow as
    key=value.
    """
    from posttrain.backends.plans.search import colocated, searched
    from posttrain.config.load import load

    problem = problem_of(load(file, context.args), cluster, prompt_tokens)
    found = searched(problem, seed=seed, tries=tries)
    together = colocated(problem, problem.meshes())
    for line in (*described(found), f"all calls on one mesh: {together.seconds:.4g} s"):
        typer.echo(line)


def problem_of(run: RunFile, cluster: Path, prompt_tokens: int) -> Problem:
    """What is to be planned. Raises ConfigError for a run file without a method."""
    from posttrain.backends.plans.calls import calls_of, known
    from posttrain.backends.plans.cluster import Cluster
    from posttrain.backends.plans.execution import Problem
    from posttrain.config.load import read
    from posttrain.core.plan import plan as planned
    from posttrain.errors import ConfigError
    from posttrain.launch.checks import configured, method_of

    if run.method is None:
        raise ConfigError("plan: a procedure trains with several methods; name one: method: online/grpo")
    method = configured(run, method_of(run))
    samples = any(stream.kind.sampled for stream in method.streams.values())
    brings = {"reward"} if samples else set()
    arrives = {name: {*stream.kind.tensors, *brings} for name, stream in method.streams.items()}
    calls = calls_of(planned(method, arrives, given=set(run.models)), samples=samples)
    sizes = known(calls, _sizes(run))
    return Problem(calls, sizes, load_of(run, method, prompt_tokens), Cluster.of(read(cluster).value))


def _sizes(run: RunFile) -> dict[str, Size]:
    from posttrain.backends.plans.calls import Size
    from posttrain.models.loading.shape import shape_of

    named = {role: entry for role, entry in run.models.items() if entry.path and not entry.shared}
    every = {"policy": run.model, **named}
    return {role: Size(**shape_of(entry.path, entry.revision)) for role, entry in every.items()}


def load_of(run: RunFile, method: Method, prompt_tokens: int) -> Load:
    """The tokens of a step; a pair without sampling is two rows."""
    from posttrain.backends.plans.calls import Load
    from posttrain.training.episodes import authors_of

    rows = 0
    for name, stream in method.streams.items():
        authors = authors_of(method, name, samples=run.sampling.samples, temperature=None)
        rows += sum(author.samples for author in authors) or (2 if stream.kind.paired else 1)
    answers = run.train.prompts_per_step * rows
    updates = method.passes * method.minibatches
    return Load(answers, prompt_tokens, run.sampling.max_tokens, method.passes, updates)


def described(plan: ExecutionPlan) -> list[str]:
    """The timeline of a plan as lines, the memory of its fullest device, and what takes longest."""
    lines = [f"{'call':18} {'devices':>9} {'dp x tp x pp':>13} {'begins':>9} {'moves':>9} {'takes':>9}"]
    for span in plan.timeline:
        mesh = span.mesh
        devices = f"{mesh.first}-{mesh.first + mesh.count - 1}"
        layout = f"{mesh.dp} x {mesh.tp} x {mesh.pp}"
        times = " ".join(f"{x:8.3g}s" for x in (span.begin, span.moved, span.end - span.begin))
        lines.append(f"{span.call.name:18} {devices:>9} {layout:>13} {times}")
    slowest = max(plan.timeline, key=lambda span: span.end - span.begin)
    fullest = max(plan.memory, key=plan.memory.__getitem__)
    cluster = plan.problem.cluster
    return [
        *lines,
        f"a step: {plan.seconds:.4g} s; bubbles {plan.bubbles:.0%}; bottleneck: {slowest.call.name}",
        f"memory: {plan.memory[fullest]:.3g} of {cluster.memory:g} GB on device {fullest}",
    ]
