"""From a run file to a trained model: load, train, evaluate, save. The only place that picks a backend."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_type_hints

import torch
from pydantic import TypeAdapter, ValidationError

from posttrain.backends.local.backend import Local
from posttrain.backends.local.optimiser import AdamW
from posttrain.catalogue import index as catalogue
from posttrain.config.load import load as load_run
from posttrain.config.load import resolved
from posttrain.data.chat.encode import Encoder
from posttrain.data.dataset import Dataset
from posttrain.data.overlap import overlap
from posttrain.errors import ConfigError, ModelError, suggestion
from posttrain.machine.allocator import keep_freed_memory
from posttrain.machine.kill_points import arm, maybe_kill
from posttrain.models.loading.load import Loaded
from posttrain.models.loading.load import load as load_model
from posttrain.records import RECORDS
from posttrain.rewards.reward import Reward, resolve
from posttrain.runs.card import write_card
from posttrain.runs.checkpoint import NAME
from posttrain.runs.directory import RunDirectory
from posttrain.training.session import Evaluation, Session
from posttrain.viewer.display import Display

if TYPE_CHECKING:
    from posttrain.config.schema import Model, RunFile

_log = logging.getLogger(__name__)


@dataclass
class Result:
    """What a run left: its directory, the model, the last metrics, and the evaluations by name (before, after)."""

    directory: Path
    model: Path
    metrics: dict[str, float]
    evaluations: dict[str, Evaluation] = field(default_factory=dict)


def train(
    model: str | Mapping[str, Any],
    method: str | Mapping[str, Any] | None = None,
    data: str | Mapping[str, Any] | None = None,
    rewards: Sequence[str | Mapping[str, Any] | Callable[..., Any]] = (),
    *,
    resume: bool | str = False,
    display: Display | None = None,
    **sections: Any,
) -> Result:
    """Train as a run file would; the keywords are its keys. A reward may also be a Python function.

    `posttrain.train(model="smollm2", method="online/grpo", data="arithmetic", rewards=[f], train={"steps": 20})`
    """
    named = [r for r in rewards if not callable(r)]
    content = {"model": model, "method": method, "data": data, "rewards": named, **sections}
    run = load_run({k: v for k, v in content.items() if v is not None})
    functions = tuple(resolve(r) for r in rewards if callable(r))
    return launch(run, resume=resume, display=display, functions=functions)


def launch(
    run: RunFile, *, resume: bool | str = False, display: Display | None = None, functions: tuple[Reward, ...] = ()
) -> Result:
    """Run a run file. `functions` are rewards besides those that it names.

    `resume`: true or "latest" continues the newest usable checkpoint; or a step, or the folder of a checkpoint or run.
    """
    with open_session(run, resume=resume, display=display, functions=functions) as session:
        assert session.directory is not None
        metrics = _procedure(session) if run.procedure else _method(session)
        maybe_kill("export")
        folder = session.save(session.role)
        maybe_kill("exported")
        write_card(folder, resolved(run), session.evaluations_as_text())
        return Result(session.directory.path, folder, metrics, session.evaluations)


def open_session(
    run: RunFile,
    *,
    resume: bool | str = False,
    display: Display | None = None,
    functions: tuple[Reward, ...] = (),
    write: bool = True,
) -> Session:
    """Models, backend, encoder and run directory of a run file."""
    arm()
    keep_freed_memory()
    maybe_kill("config")
    run, checkpoint = _resumed(run, "latest" if resume is True else resume or "never")
    _check_before_loading(run)
    display = display or Display()
    policy = _load(run.model, run)
    encoder = Encoder(policy.tokenizer, run.train.max_length or policy.network.context, _template(run.model))
    backend = Local(
        _models(run, policy),
        tokenizer=policy.tokenizer,
        stop=policy.stop,
        optimiser=_optimiser(run),
        tokens_per_device=run.train.tokens_per_device,
        slots=run.sampling.slots,
        seed=run.seed,
        progress=display.phase,
    )
    maybe_kill("model")
    directory = None
    if write:
        named = run.procedure or run.method
        hint = f"{Path(named.path).stem}-{Path(run.model.path).name}" if named else Path(run.model.path).name
        again = checkpoint is not None
        directory = RunDirectory.create(run.output, run.name, resolved(run), hint=hint, seed=run.seed, resume=again)
        maybe_kill("directory")
    return Session(run, backend, encoder, directory=directory, display=display, resume=checkpoint, functions=functions)


def _resumed(run: RunFile, which: str) -> tuple[RunFile, str | None]:
    """The run file with the run directory that a path names, and the checkpoint: "latest", a step, or none."""
    if which == "never":
        return run, None
    if which == "latest" or (which.isascii() and which.isdigit()):
        return run, which
    path = Path(which).absolute()
    checkpoint = NAME.fullmatch(path.name)
    directory = path.parent.parent if checkpoint else path
    if not path.is_dir() or not (directory / "checkpoints").is_dir():
        raise ConfigError(
            f"resume: {which!r} is no step and no checkpoint or folder of a run; to begin a new run with the weights "
            "of a checkpoint, set model to its folder"
        )
    step = checkpoint[1] if checkpoint else "latest"
    return run.model_copy(update={"output": directory.parent, "name": directory.name}), step


def _check_before_loading(run: RunFile) -> None:
    """What can be known to be wrong before a model is loaded."""
    for reward in run.rewards:
        resolve({"path": reward.path, "weight": reward.weight, **reward.settings}).notice()
    if run.procedure is not None:
        procedure_of(run)
    if run.method is not None:
        method = catalogue.load(run.method.path, run.base)
        samples = [how for stream in method.streams.values() for how in stream.sampling]
        if samples and (run.sampling.top_p < 1 or run.sampling.top_k):
            raise ConfigError(
                f"sampling.top_p={run.sampling.top_p} and top_k={run.sampling.top_k} cut the distribution that "
                f"{method.name} differentiates, which biases its gradient; set top_p: 1.0 and top_k: 0 to train"
            )
        if not samples and run.rewards and run.evaluate is None:
            raise ConfigError(f"{method.name} samples nothing, so it reads no rewards; remove `rewards`")


# ---- models


def _optimiser(run: RunFile) -> AdamW:
    t = run.train
    return AdamW(t.betas, weight_decay=t.weight_decay, max_grad_norm=t.max_grad_norm or 0.0)


def _load(spec: Model, run: RunFile) -> Loaded:
    loaded = load_model(spec.path, dtype=_dtype(spec), device=_device(run.device), revision=spec.revision)
    if spec.lora is not None:
        from posttrain.models.lora import add_lora

        targets = spec.lora.targets or "all-linear"
        add_lora(loaded.network, spec.lora.rank, spec.lora.alpha, targets, seed=run.seed)
    if spec.activation_checkpointing:
        loaded.network.checkpointing(on=True)
        loaded.network.train()  # checkpointing acts in this mode only; dropout is off in any
    return loaded


def _dtype(spec: Model) -> str:
    """bf16 where the chip multiplies it fast, float32 otherwise and for the small embedded model."""
    if spec.dtype != "auto":
        return spec.dtype
    fast = torch.cuda.is_available() or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return "bfloat16" if fast and spec.path != "tiny" else "float32"


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device: {name}, but no CUDA device is visible; use device: cpu or auto")
    return name


def _models(run: RunFile, policy: Loaded) -> dict[str, Any]:
    models: dict[str, Any] = {"policy": policy.network}
    for role, spec in run.models.items():
        if spec.shared:
            models[role] = policy.network
            continue
        loaded = _load(spec, run)
        if loaded.tokenizer.get_vocab() != policy.tokenizer.get_vocab():
            raise ModelError(
                f"models.{role}: {spec.path} has another tokenizer than the policy {run.model.path}; "
                "token ids of one mean nothing to the other"
            )
        models[role] = loaded.network
    return models


def _template(spec: Model) -> str | None:
    if spec.chat_template is None:
        return None
    try:
        return spec.chat_template.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"model.chat_template: {spec.chat_template} cannot be read: {error.strerror}") from None


# ---- what is run


def _method(session: Session) -> dict[str, float]:
    run = session.run
    assert run.method is not None
    method = catalogue.load(run.method.path, run.base)
    kinds = {s: stream.records for s, stream in method.streams.items()}
    if extra := sorted(set(run.data) - set(kinds)):
        raise ConfigError(
            f"data: {method.name} has no stream {extra[0]!r}{suggestion(extra[0], kinds)}; streams {', '.join(kinds)}"
        )
    data = {s: session.dataset(source, kinds[s]) for s, source in run.data.items()}
    _warn_of_overlap(session, data)
    session.evaluate_now("before")
    metrics = session.train(method, data, settings=run.method.settings)
    session.evaluate_now("after")
    return metrics


def _procedure(session: Session) -> dict[str, float]:
    """A procedure is called with the data that its parameters are named after, and the settings of the run file."""
    run = session.run
    function = procedure_of(run)
    assert run.procedure is not None
    data = {n: session.dataset(source, n if n in RECORDS else "prompts") for n, source in run.data.items()}
    _warn_of_overlap(session, data)
    session.evaluate_now("before")
    metrics = function(session, **data, **run.procedure.settings)
    session.evaluate_now("after")
    return cast(dict[str, float], metrics)


def _warn_of_overlap(session: Session, data: Mapping[str, Dataset]) -> None:
    if session.run.evaluate is None:
        return
    asked = session.dataset(session.run.evaluate.data, "prompts")
    for stream, records in data.items():
        if known := overlap(records, asked):
            _log.warning(
                "%d of %d evaluated questions are also trained on (data.%s), the first at %s: what is measured is "
                "memory; leave them out of one of the two",
                len(known), len(asked), stream, known[0].where,
            )  # fmt: skip


def procedure_of(run: RunFile) -> Callable[..., Any]:
    """The procedure of a run file. ConfigError where its data or settings are not those that it takes."""
    assert run.procedure is not None
    path = run.procedure.path
    function = catalogue.load_procedure(path, run.base)
    parameters = inspect.signature(function).parameters.values()
    streams = {p.name: p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "session"}
    if missing := [n for n, p in streams.items() if p.default is p.empty and n not in run.data]:
        raise ConfigError(f"data: {path} reads {', '.join(streams)}; {', '.join(missing)} is missing")
    if extra := sorted(set(run.data) - set(streams)):
        raise ConfigError(
            f"data: {path} does not read {extra[0]!r}{suggestion(extra[0], streams)}; it reads {', '.join(streams)}"
        )
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    hints = get_type_hints(function)
    for key, value in run.procedure.settings.items():
        if key not in known:
            raise ConfigError(f"procedure.{key}: unknown{suggestion(key, known)}; settings {', '.join(known)}")
        try:
            TypeAdapter(hints.get(key, Any)).validate_python(value, strict=True)
        except ValidationError as error:
            reasons = " or ".join(dict.fromkeys(e["msg"] for e in error.errors()))
            raise ConfigError(f"procedure.{key}: {value!r}: {reasons}") from None
    return function
