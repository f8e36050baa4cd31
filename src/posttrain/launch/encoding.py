"""Encodes the data of a run file before its weights are read, so that a row that cannot be used costs seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from posttrain.core.kinds import kind as kind_called
from posttrain.data.chat.encode import Encoder
from posttrain.launch.checks import configured, method_of
from posttrain.launch.models import read_template
from posttrain.launch.reading import held_out, to_read
from posttrain.models.loading.tokenizer import load_reader
from posttrain.training.encodings import Encodings, Wanted

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile
    from posttrain.training.datasets import Datasets


def encode_before_loading(
    run: RunFile, datasets: Datasets, *, scored: bool, progress: Callable[[str, int, int], None]
) -> Encodings | None:
    """Encode what a run trains on and is measured on, with the tokenizer and the configs of its model alone.

    Raises DataError for rows that cannot be used. None where there is nothing to encode, where the model is in memory
    already, and where new tokens need rows in the model first. `scored`: the run has reward functions.
    """
    model, wanted = run.model, list(_wanted(run, datasets, scored=scored))
    if not wanted or model.path in run.given or model.new_tokens or model.new_special_tokens:
        return None
    reader = load_reader(model.path, model.revision)
    encoder = encoder_of(run, reader.tokenizer, run.train.max_length or reader.context, reader.stop)
    encodings = Encodings(encoder)
    try:
        for one in wanted:
            encodings.ahead(one, lambda done, total: progress("encoding", done, total))
    except BaseException:
        encoder.close()
        raise
    return encodings


def encoder_of(run: RunFile, tokenizer: Any, limit: int, stop: frozenset[int]) -> Encoder:
    """The encoder of the policy, whose tokenizer then holds the chat template that is saved with the model."""
    variables = run.model.chat_template_kwargs
    if template := read_template(run.model):
        tokenizer.chat_template = template
    encoder = Encoder(tokenizer, limit, stop=stop, template_settings=variables)
    tokenizer.chat_template = with_defaults(tokenizer.chat_template, variables)
    return encoder


def _wanted(run: RunFile, datasets: Datasets, *, scored: bool) -> Iterator[Wanted]:
    """Yield what a run asks for first. A procedure decides itself what it trains on."""
    method = None if run.method is None else configured(run, method_of(run))
    trained = [] if method is None else [(*read, run.sampling.max_tokens) for read in to_read(run, method)]
    measured = [(*read, 0) for read in held_out(run, method, scored=scored)]
    columns = () if method is None else tuple(sorted(method.columns.items()))
    for _, source, kind, reads, room in [*trained, *measured]:
        data = datasets.read(source, kind, reads)
        sampled = kind_called(kind).sampled
        if sampled and run.environment is not None:
            continue  # the environment says what its episodes begin with
        yield Wanted(data, kind, room=room) if sampled else Wanted(data, kind, columns)


def with_defaults(template: Any, variables: Mapping[str, Any]) -> Any:
    """Return a chat template, or several by name, whose variables have these values where the caller gives none.

    So a saved model is asked as it was trained. Variables that a template does not read are left out.
    """
    if isinstance(template, Mapping):
        return {name: with_defaults(one, variables) for name, one in template.items()}
    if not template:
        return template
    read = {name: value for name, value in variables.items() if name.isidentifier() and name in template}
    defaults = [f"{{% if {n} is not defined %}}{{% set {n} = {v!r} %}}{{% endif %}}" for n, v in read.items()]
    gap = "{{ '\\n' }}" if defaults and template.startswith("\n") else ""  # jinja drops a newline behind a tag
    return "".join([*defaults, gap, template.removeprefix("\n") if gap else template])
