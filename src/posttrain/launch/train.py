"""`posttrain.train`: a run file as keyword arguments, where names may be Python objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from posttrain.config.load import load
from posttrain.launch.given import Objects
from posttrain.launch.result import Result
from posttrain.launch.run import launch
from posttrain.viewer.display import Display
from posttrain.viewer.live import open_display

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile

Section = Mapping[str, Any]


def train(
    model: Any = None,
    method: Any = None,
    data: Any = None,
    rewards: Any = (),
    *,
    tokenizer: Any = None,
    procedure: Any = None,
    environment: Any = None,
    models: Mapping[str, Any] | None = None,
    sampling: Section | None = None,
    train: Section | None = None,
    evaluate: Section | None = None,
    scoring: Section | None = None,
    gates: Mapping[str, str] | None = None,
    report: str | Sequence[Any] | None = None,
    seed: int | None = None,
    name: str | None = None,
    output: str | Path | None = None,
    device: str | None = None,
    backend: str | Section | None = None,
    sampler: str | Section | None = None,
    resume: bool | str = False,
    display: Display | Literal["auto"] | None = "auto",
    **others: Any,
) -> Result:
    """Train as a run file would. The keywords are its keys, which docs/run_file.md describes; docs/python.md has more.

        posttrain.train("smollm2", "online/grpo", rows, my_reward, train={"steps": 20, "learning_rate": 1e-6})

    Args:
        model: name, folder, hub id, {"path": ..., "lora": {...}}; or a loaded model of transformers, of which a copy is
            trained. None for a procedure that trains none.
        method: name, ./file.py, {"path": ..., **settings}; or a posttrain.Method.
        data: file, hub id, generator; or a list of dictionaries, a datasets.Dataset, a Dataset; or {"path": ...,
            "columns": {...}} of these, or one for each stream of the method.
        rewards: function, name, {"path": ..., "weight": ..., **settings}, or a list of these.
        tokenizer: tokenizer of a loaded model.
        procedure: name, ./file.py or function, instead of a method.
        environment: what answers the policy turn by turn: name, ./file.py, {"path": ..., **settings}; or a class of a
            file.
        models: models in other roles, by role: {"reward": FOLDER}.
        sampling: how answers are sampled: samples, max_tokens, temperature, ...
        train: steps, epochs, prompts_per_step, learning_rate, save_every, ...
        evaluate: held-out data and when it is measured: {"data": rows, "every": 50}.
        scoring: how reward functions run: workers, timeout, max_error_rate.
        gates: what the model must reach to be released: {"suite.metric": ">= 0.8"}.
        report: trackers: tensorboard, wandb, ...
        seed: seed of every random choice.
        name: name of the folder of the run.
        output: folder of that folder; "runs" by default.
        device: auto, cpu, cuda, cuda:1.
        backend: local, or fsdp for several processes: {"path": "fsdp", "processes": 2}.
        sampler: native, or vllm: {"path": "vllm", "python": ".venv-vllm/bin/python"}.
        resume: True continues the newest checkpoint; or a step, or a folder. Give the same objects again.
        display: "auto" shows a live view in a terminal and plain lines elsewhere, None nothing.
        others: further keys of a run file; for one that there is not, an error says how it is called here.

    Raises ConfigError and other errors of posttrain.errors.
    """
    objects = Objects()
    content = {
        "model": None if model is None else objects.model(model, tokenizer),
        "method": objects.code(method, "method"),
        "procedure": objects.code(procedure, "procedure"),
        "environment": objects.environment(environment),
        "data": objects.data(data),
        "rewards": objects.rewards(rewards),
        "models": models and {role: objects.role(entry, role) for role, entry in models.items()},
        "evaluate": objects.evaluate(evaluate),
        "sampling": sampling,
        "train": train,
        "scoring": scoring,
        "gates": gates,
        "report": report,
        "seed": seed,
        "name": name,
        "output": output,
        "device": device,
        "backend": backend,
        "sampler": sampler,
        **others,
    }
    run = load({key: value for key, value in content.items() if value is not None}).holding(objects)
    return _shown(run, resume, display)


def _shown(run: RunFile, resume: bool | str, display: Display | Literal["auto"] | None) -> Result:
    with open_display() if display == "auto" else nullcontext(display) as shown:
        return launch(run, resume=resume, display=shown)
