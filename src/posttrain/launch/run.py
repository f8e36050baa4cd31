"""From a run file to a trained model: load, train, evaluate, save. The only place that picks a backend."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from posttrain.config.load import resolved
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.evaluation.gates import check
from posttrain.launch.backends import follow, learner_of, processes_of
from posttrain.launch.checks import check_before_loading, method_of, procedure_of, warn_of_overlap
from posttrain.launch.directory import claim, given_back, journal, resumed
from posttrain.launch.encoding import encode_before_loading, encoder_of
from posttrain.launch.models import load_models, load_policy, longest_row
from posttrain.launch.reading import read_before_loading, to_read
from posttrain.launch.report import followers
from posttrain.launch.result import Result
from posttrain.launch.samplers import sampler_of
from posttrain.launch.text_roles import check_scores, reward_models, text_roles
from posttrain.launch.trials import trials_in
from posttrain.launch.without_policy import NoPolicy, load_text_models
from posttrain.machine.allocator import keep_freed_memory
from posttrain.machine.kill_points import arm, maybe_kill
from posttrain.rewards.reward import Reward
from posttrain.runs.card import write_card
from posttrain.runs.decoder import decoder_in
from posttrain.runs.directory import RunDirectory
from posttrain.runs.ending import FINISHED, FinishedError, read_ending
from posttrain.runs.journal import Journal
from posttrain.runs.log import listening
from posttrain.runs.metrics import read_metrics
from posttrain.runs.sampled_tokens import texts_of
from posttrain.training.best import PREFIX
from posttrain.training.datasets import Datasets
from posttrain.training.run import Run
from posttrain.training.session import Session
from posttrain.viewer.display import Display
from posttrain.viewer.logged import LoggedDisplay

if TYPE_CHECKING:
    from posttrain.backends.fsdp.group import Group
    from posttrain.config.schema import RunFile
    from posttrain.core.method import Method


def launch(
    run: RunFile, *, resume: bool | str = False, display: Display | None = None, functions: tuple[Reward, ...] = ()
) -> Result:
    """Run a run file. `functions` are rewards besides those that it names.

    `resume`: true or "latest" continues the newest usable checkpoint; or a step, or the folder of a checkpoint or run.
    """
    if run.procedure is not None:
        procedure_of(run, whole=True)
    try:
        with open_session(run, resume=resume, display=display, functions=functions) as session:
            result = _launched(session)
    except FinishedError as finished:
        (display or Display()).note(str(finished))
        result = _finished_before(finished.folder, run)
    result.refuse_unless_passed()
    return result


def _launched(session: Session) -> Result:
    """Run what the run file says, and save the models before anything else that may fail."""
    file, journal = session.run.file, session.run.journal
    _warn_of_decoder(session)
    metrics = _run_procedure(session) if file.procedure else _run_method(session)
    if journal.saved is not None:
        raise ConfigError(
            "the checkpoint lies behind the last training of this run, so its models were never restored: the "
            "procedure has become shorter; resume with the settings that it was saved under"
        )
    maybe_kill("export")
    models = _save_models(session)
    maybe_kill("exported")
    session.save_end()
    session.return_to_best()
    session.evaluate_now("after")
    last = session.evaluations.done.get("after")
    measured = {n.removeprefix(PREFIX): x for n, x in (last.metrics if last else {}).items()}
    gates = check(file.gates, measured)
    for folder in models.values():
        write_card(folder, resolved(file), session.evaluations.lines(), [str(gate) for gate in gates])
    why = session.run.ended_early
    ending = {"how": FINISHED} if why is None else {"how": "early", "why": why}
    seen = {"evaluations": session.evaluations.lines(), "measured": measured}
    journal.describe(ended={**ending, "steps": journal.steps, **seen})
    assert journal.folder is not None
    return Result(
        journal.folder,
        models.get(session.role),
        metrics,
        session.evaluations.done,
        models,
        {name: file for name, file in session.artefacts.items() if file is not None},
        gates,
    )


def _finished_before(folder: Path, run: RunFile) -> Result:
    """The result of a run that has nothing left to do, as far as its files say it."""
    file, final = folder / "metrics.jsonl", folder / "final"
    rows = list(read_metrics(file)) if file.is_file() else []
    metrics = {n: x for n, x in (rows[-1] if rows else {}).items() if n != "step" and isinstance(x, int | float)}
    models = {f.name: f for f in sorted((folder / "models").glob("*"))}
    artefacts = {f.stem: f for f in sorted((folder / "artefacts").glob("*"))}
    gates = check(run.gates, read_ending(folder).get("measured", {}))
    return Result(folder, final if final.is_dir() else None, metrics, {}, models, artefacts, gates)


def open_session(
    run: RunFile,
    *,
    resume: bool | str = False,
    display: Display | None = None,
    functions: tuple[Reward, ...] = (),
    write: bool = True,
) -> Session:
    """Open a session with the models, backend, encoder and run directory of a run file."""
    follow(run)
    arm()
    keep_freed_memory()
    maybe_kill("config")
    run, checkpoint = resumed(run, "latest" if resume is True else resume or "never")
    with listening(write) as log:
        check_before_loading(run, scored=bool(functions))
        datasets = read_before_loading(run, functions)
        directory = None if log is None else claim(run, checkpoint, log)
        with given_back(directory):
            shown = display or Display() if log is None else LoggedDisplay(display or Display(), log.say)
            opened = _loaded(run, directory, shown, functions, datasets)
            if directory is not None:
                opened.journal.watchers += followers(run, directory)
            try:
                session = Session(opened, resume=checkpoint if write else None)
            except BaseException:
                opened.sampler.close()
                opened.learner.close()
                raise
            if directory is not None:
                session.trial = trials_in(directory.path, run.base, launch)
            return session


def _loaded(
    run: RunFile,
    directory: RunDirectory | None,
    display: Display,
    functions: tuple[Reward, ...],
    datasets: Datasets,
) -> Run:
    """The run with its models, backend, encoder and journal."""
    if run.model.absent:
        return _without_policy(run, directory, display, functions, datasets)
    with processes_of(run, None if directory is None else directory.path) as group:
        return _with_policy(run, group, directory, display, functions, datasets)


def _with_policy(
    run: RunFile,
    group: Group | None,
    directory: RunDirectory | None,
    display: Display,
    functions: tuple[Reward, ...],
    datasets: Datasets,
) -> Run:
    """The run of a language model. `group`: the processes that it is divided over."""
    scored = bool(run.rewards or functions)
    encodings = encode_before_loading(run, datasets, scored=scored, progress=display.phase)
    policy = load_policy(run, encodings and encodings.encoder.tokenizer)
    limit = longest_row(run.train.max_length, policy.network)
    encoder = encodings.encoder if encodings else encoder_of(run, policy.tokenizer, limit, policy.stop)
    networks, others = load_models(run, policy)
    check_scores(run, others)
    learner = learner_of(run, group, networks, policy, display.phase)
    sampler = sampler_of(run, learner, policy, limit, directory.path if directory else None, display.phase)
    kept = directory.path / "kept" if directory else None
    texts = partial(texts_of, encoder.tokenizer)
    maybe_kill("model")
    opened = Run(
        run,
        learner,
        sampler,
        encoder,
        journal=journal(run, directory, encoder.vocabulary, texts) if directory else Journal(),
        display=display,
        functions=functions,
        text_roles=text_roles(run, others, kept) | reward_models(run, kept),
        datasets=datasets,
        encodings=encodings,
    )
    if group is not None:
        opened.timers.timeline = group.timeline
    return opened


def _without_policy(
    run: RunFile,
    directory: RunDirectory | None,
    display: Display,
    functions: tuple[Reward, ...],
    datasets: Datasets,
) -> Run:
    """The run of a procedure that trains no language model."""
    none = cast(Any, NoPolicy(run.procedure.path if run.procedure else "this run"))
    kept = directory.path / "kept" if directory else None
    return Run(
        run,
        none,
        none,
        none,
        journal=journal(run, directory, NoPolicy.vocabulary, cast(Any, None)) if directory else Journal(),
        display=display,
        functions=functions,
        text_roles=text_roles(run, load_text_models(run), kept) | reward_models(run, kept),
        datasets=datasets,
    )


# ---- what is run


def _warn_of_decoder(session: Session) -> None:
    """Say that a decoder that was saved with the model takes no part in a run."""
    path = session.run.file.model.path
    if not session.run.file.model.absent and (saved := decoder_in(path)) is not None:
        session.run.warn(
            "model",
            f"{path} was saved with the decoder {saved.name}, which this run does not use: it samples, trains "
            "and saves the model alone",
        )


def _run_method(session: Session) -> dict[str, float]:
    file = session.run.file
    assert file.method is not None
    method = method_of(file)
    _read_held_out(session, method, data := _read(session, method))
    return session.train(method, data, settings=file.method.settings)


def _run_procedure(session: Session) -> dict[str, float]:
    """Call a procedure with the data that its parameters are named after, and the settings of the run file."""
    file = session.run.file
    function = procedure_of(file)
    assert file.procedure is not None
    _read_held_out(session, None, data := _read(session, None))
    session.evaluate_now("before")
    metrics = cast(dict[str, float], function(session, **data, **file.procedure.settings) or {})
    if file.model.absent and metrics:  # no step has written any
        session.run.journal.write_metrics(metrics)
    return metrics


def _read(session: Session, method: Method | None) -> dict[str, Dataset]:
    read = to_read(session.run.file, method)
    return {name: session.dataset(source, kind, reads) for name, source, kind, reads in read}


def _read_held_out(session: Session, method: Method | None, data: Mapping[str, Any]) -> None:
    for held_out in session.evaluations.read(method):
        warn_of_overlap(held_out, data)


def _save_models(session: Session) -> dict[str, Path]:
    """Save the model that the run is about as `final`, and every other model that it has trained in `models/ROLE`."""
    folder = session.run.journal.folder
    assert folder is not None
    others = [role for role in session.trained if role != session.role]
    models = {role: session.save(role, folder / "models" / role) for role in others}
    if session.trained or not (session.artefacts or session.run.file.model.absent):
        models[session.role] = session.save_final()
    return models
