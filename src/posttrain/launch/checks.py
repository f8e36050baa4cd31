"""What can be known to be wrong with a run file before a model is loaded."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure
from posttrain.catalogue.signature import Signature
from posttrain.catalogue.transforms.off_policy import corrected
from posttrain.data.dataset import Dataset
from posttrain.data.overlap import LONG, overlap, repeated
from posttrain.errors import ConfigError, suggestion
from posttrain.launch.text_roles import check_endpoints
from posttrain.trackers.named import check_installed
from posttrain.training.best import PREFIX, not_measured
from posttrain.training.enough import check_answers, check_batch_size
from posttrain.training.environments import check_environment
from posttrain.training.episodes import authors_of
from posttrain.training.held_out import measurable, offline, sources
from posttrain.training.named_rewards import named_rewards
from posttrain.training.private_records import check_method, check_run
from posttrain.training.role_rewards import REWARD
from posttrain.training.shaped_rewards import check_shaping, shapes
from posttrain.training.suites import JUDGE, named_suites

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile
    from posttrain.config.sections.evaluate import Evaluate
    from posttrain.core.method import Method
    from posttrain.evaluation.suite import Suite

_log = logging.getLogger(__name__)


def check_before_loading(run: RunFile, *, scored: bool = False) -> None:
    """Raise ConfigError for rewards, endpoints, procedure or method that cannot run as the run file says.

    `scored`: there are reward functions besides those of the run file.
    """
    rewards = named_rewards(run)
    for reward in rewards:
        reward.notice()
    check_shaping(run, rewards, scored=scored)
    check_endpoints(run)
    _check_streamed(run)
    if run.train.privacy is not None:
        check_run(run)
    check_installed(entry.name for entry in run.report)
    if run.procedure is not None:
        procedure_of(run)
    method = None if run.method is None else method_of(run)
    if method is not None:
        _check_method(run, method)
    authors = [] if method is None else [a for stream in method.streams.values() for a in stream.sampling]
    check_environment(run, authors, samples=bool(authors) or method is None)
    scored = scored or run.environment is not None
    if run.evaluate is not None:
        _check_evaluate(run, run.evaluate, method, scored=scored or bool(run.rewards))


def _check_streamed(run: RunFile) -> None:
    """Raise ConfigError where a source is streamed whose records must all be known."""
    held_out = [] if run.evaluate is None else [run.evaluate.data, run.evaluate.records]
    if any(source and source.stream for source in held_out):
        raise ConfigError("evaluate: held-out data are measured as a whole; remove stream, or read fewer with size: N")
    if not any(source.stream for source in run.data.values()):
        return
    if run.procedure is not None:
        raise ConfigError(f"data.stream: {run.procedure.path} reads all records; remove stream, or set data.size")
    if run.train.steps is None:
        raise ConfigError(
            "data.stream: the number of records is not known, so no epoch can be planned; set train.steps"
        )
    if run.train.async_steps or run.sampling.over_steps:
        raise ConfigError(
            "data.stream: answers that are written or trained on over several steps need prompts that stay in memory; "
            "set train.async_steps=0, sampling.spare_prompts=0 and sampling.replay_prompts=0, or remove stream"
        )


def _check_method(run: RunFile, method: Method) -> None:
    check_streams(run, method, configured(run, method))
    if run.train.privacy is not None:
        check_method(configured(run, method))
    samples = [sampling for stream in method.streams.values() for sampling in stream.sampling]
    if samples and (run.sampling.top_p < 1 or run.sampling.top_k):
        raise ConfigError(
            f"sampling.top_p={run.sampling.top_p} and top_k={run.sampling.top_k} cut the distribution that "
            f"{method.name} differentiates, which biases its gradient; set top_p: 1.0 and top_k: 0 to train"
        )
    check_batch_size(method, run.train.prompts_per_step)
    for stream in method.streams:
        check_answers(method, authors_of(method, stream, samples=run.sampling.samples, temperature=None))
    if not samples and run.rewards and run.evaluate is None:
        raise ConfigError(f"{method.name} samples nothing, so it reads no rewards; remove `rewards`")
    if not samples and shapes(run):
        raise ConfigError(f"{method.name} samples nothing, so no reward is shaped; remove {shapes(run)[0]}")


def _check_evaluate(run: RunFile, section: Evaluate, method: Method | None, *, scored: bool) -> None:
    """Raise ConfigError if nothing scores the answers to held-out prompts, or no loss measures the held-out records."""
    prompts, records = sources(section, method, scored=scored)
    if prompts is not None and not scored and REWARD not in run.models:
        raise ConfigError(
            "evaluate: nothing scores the answers to the held-out prompts; add rewards: [...], or a reward model: "
            "models: {reward: FOLDER}, or remove `evaluate`"
        )
    if section.best is not None and method is None:
        raise ConfigError(
            "evaluate.best: a procedure trains several times, so no one of its steps is the best; remove it"
        )
    suites = named_suites(section.suites, run.base)
    check_gates(run, suites)
    judged = next((name for name, suite in suites.items() if suite.judge is not None), None)
    if judged is not None and JUDGE not in run.models:
        raise ConfigError(f"evaluate.suites: {judged} asks a judge, and there is none; add models: {{judge: MODEL}}")
    if section.best is not None and method is not None:
        known = [*(["reward"] if prompts else []), *(measurable(method) if records else [])]
        known += [f"{name}.{metric}" for name, suite in suites.items() for metric in suite.names]
        if section.best.removeprefix(PREFIX) not in known:
            raise not_measured(section.best, known)
    if records is not None and (method is None or not offline(method)):
        who = "a procedure trains with several methods" if method is None else f"{method.name} samples answers"
        raise ConfigError(
            f"evaluate.records: {who}, so no one loss can be measured on records; give held-out prompts that rewards "
            "score: evaluate: {data: FILE}"
        )


def check_gates(run: RunFile, suites: Mapping[str, Suite]) -> None:
    """Raise ConfigError for a gate of a suite, or of its metric, that is not measured."""
    for name in run.gates:
        suite, dot, metric = name.partition(".")
        if dot and suite not in suites:
            raise ConfigError(
                f"gates.{name}: no suite {suite!r} is measured{suggestion(suite, suites)}; add it to evaluate.suites"
            )
        whole = re.split(r"[.\[]", metric)[0]
        if dot and whole not in suites[suite].names:
            known = suites[suite].names
            raise ConfigError(
                f"gates.{name}: {suite} measures no {whole!r}{suggestion(whole, known)}; it has {', '.join(known)}"
            )


def check_streams(run: RunFile, declared: Method, method: Method) -> None:
    """Raise ConfigError for data of a stream that the method does not have, and for a stream without data.

    `declared`: the method before its settings, of which a weight of 0 may switch off a stream.
    """
    if idle := sorted(set(run.data) & set(declared.streams) - set(method.streams)):
        raise ConfigError(
            f"data.{idle[0]}: nothing reads it, because the weight of its term is 0; remove it, or set another weight"
        )
    if extra := sorted(set(run.data) - set(method.streams)):
        known = ", ".join(method.streams)
        raise ConfigError(
            f"data: {method.name} has no stream {extra[0]!r}{suggestion(extra[0], method.streams)}; streams {known}"
        )
    needed = [name for name, stream in method.streams.items() if stream.view is None]
    if run.data and (missing := [name for name in needed if name not in run.data]):
        raise ConfigError(
            f"{method.name} reads the streams {', '.join(needed)}; data for {', '.join(missing)} is missing: "
            f"data: {{{', '.join(f'{name}: FILE' for name in needed)}}}"
        )


def method_of(run: RunFile) -> Method:
    """The method of a run file, before its settings."""
    assert run.method is not None
    given: Method | None = run.given.get(run.method.path)
    return given or catalogue.load(run.method.path, run.base)


def configured(run: RunFile, method: Method) -> Method:
    """The method as it is trained: with its settings, and corrected for answers of older weights or other engines."""
    whole = corrected(method, run.train.rollout_correction, older=run.off_policy)
    return configure(whole, run.method.settings if run.method else {})


def procedure_of(run: RunFile, *, whole: bool = False) -> Callable[..., Any]:
    """The procedure of a run file. ConfigError where its data or settings are not those that it takes.

    `whole`: all of its data are in the run file; else Python hands them over where the file names none.
    """
    assert run.procedure is not None
    given = run.given.get(run.procedure.path)
    function = given or catalogue.load_procedure(run.procedure.path, run.base)
    signature = Signature(function, own=("session",))
    if run.data or whole:
        signature.check_data(run.data, run.procedure.path)
    signature.check(run.procedure.settings, "procedure")
    return function


def warn_of_overlap(evaluated: Dataset, trained: Mapping[str, Dataset]) -> None:
    """Log for each stream how many of the evaluated questions are also trained on."""
    for stream, records in trained.items():
        if known := overlap(records, evaluated):
            _log.warning(
                "%d of %d evaluated questions are also trained on (data.%s), the first at %s: what is measured is "
                "memory; leave them out of one of the two",
                len(known), len(evaluated), stream, known[0].where,
            )  # fmt: skip
        whole = {r.id for r in known}
        if parts := [r for r in repeated(records, evaluated) if r.id not in whole]:
            _log.warning(
                "%d of %d evaluated questions share %d words in a row with what is trained on (data.%s), the first at "
                "%s: look whether one copies the other",
                len(parts), len(evaluated), LONG, stream, parts[0].where,
            )  # fmt: skip
