"""What a run may not do where a single record must not show in the weights, each with its remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from posttrain.core.method import MAIN, Method, Reduce
from posttrain.core.plan import Plan
from posttrain.core.vocabulary import When
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile


def tied(planned: Plan) -> Plan:
    """Keep all answers to a prompt together, because the prompt is the record: the plan with their groups."""
    streams = planned.method.streams.items()
    groups = {s: {"group"} & stream.kind.tensors for s, stream in streams}
    return replace(planned, after={s: names | groups[s] for s, names in planned.after.items()})


def check_run(file: RunFile) -> None:
    """Raise ConfigError for settings of a run under which its steps are no independent draws of its records."""
    if file.procedure is not None:
        raise ConfigError(
            "train.privacy: a procedure makes data of data, and what a record then touches is not bounded; run each "
            "stage with its `method`, on people's records of its own, and start it from the model of the one before"
        )
    wrong = {
        "train.async_steps": file.train.async_steps,
        "train.broken_steps": file.train.broken_steps,
        "sampling.spare_prompts": file.sampling.spare_prompts,
        "sampling.replay_prompts": file.sampling.replay_prompts,
    }
    if given := [key for key, value in wrong.items() if value]:
        raise ConfigError(f"train.privacy: every step takes its own records and is counted; set {given[0]}=0")
    if any(source.stream for source in file.data.values()):
        raise ConfigError("train.privacy: records are drawn from all of them, and a stream has no end; remove stream")


def check_method(method: Method) -> None:
    """Raise ConfigError for a method in which records touch each other, as far as its declaration says so."""
    stream = method.streams[MAIN]
    if len(method.streams) > 1:
        raise ConfigError(f"train.privacy: {method.name} reads {len(method.streams)} streams; a record must be of one")
    if stream.keep is not None or stream.least > 1:
        raise ConfigError(
            f"train.privacy: {method.name} chooses or compares the records of a batch; use another method"
        )
    if method.passes * method.minibatches > 1:
        raise ConfigError(
            f"train.privacy: {method.name} takes {method.passes * method.minibatches} steps on each batch, and one is "
            "accounted for; set method.passes=1 and method.minibatches=1"
        )
    for name, term in method.loss.items():
        if term.reduction is Reduce.TOKEN_MEAN:
            raise ConfigError(
                f"train.privacy: {name} is a mean over the tokens of all records, so that the length of one counts in "
                f"the gradient of the others; set method.{name}.reduce=sequence_mean"
            )
        if term.whole:
            raise ConfigError(f"train.privacy: {name} of {method.name} is one number for a batch; use another method")
    for name, derived in method.derived.items():
        if derived.part.stateful or derived.when is When.END:
            raise ConfigError(
                f"train.privacy: {name} of {method.name} ({derived.part.summary.rstrip('.')}) remembers the records of "
                "earlier batches; use a method without it, such as online/dpppo or online/rloo"
            )


def check_rows(data: Dataset, rows: Mapping[int, Sequence[Any]], *, together: bool) -> None:
    """Raise ConfigError for records of several rows that nothing ties `together`."""
    if not together and (several := next((i for i, own in rows.items() if len(own) > 1), None)) is not None:
        where = next((r.where for r in data if r.id == several), "")
        raise ConfigError(
            f"train.privacy: {where or data.name}: a record of several rows counts as several people; give one answer "
            "to a record, or a chat template that leaves the history as it is"
        )
