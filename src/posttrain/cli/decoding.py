"""The options of `sample` and `eval` that say how answers are decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from posttrain.core.decoder import Decoder
    from posttrain.runs.decoder import SavedDecoder

ALONE = "none"
DecoderSpec = Annotated[
    str | None,
    typer.Option(
        "--decoder", help="How answers are decoded: NAME or NAME:key=value, e.g. dera:lam=0.5; none: as the model says."
    ),
]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help="A model that the decoder reads: reference=FOLDER; repeatable.")
]


def decoding_of(model: str, spec: str | None, given: Sequence[str] | None) -> tuple[Decoder | None, dict[str, str]]:
    """Return how a model answers, and the models that this takes, by role.

    Without a `spec` it is the decoder that was saved with the model, if any; `none` is the model alone.
    """
    from posttrain.runs.decoder import decoder_in

    saved = None if spec == ALONE else decoder_in(model)
    decoder = decoder_of(None if spec == ALONE else spec)
    if decoder is None and saved is not None:
        decoder = load_saved(saved)
        typer.echo(
            f"{model}: decoded with {saved.name}, which it was saved with (--decoder {ALONE}: without)", err=True
        )
    folders = {role: str(folder) for role, folder in saved.models.items()} if saved is not None else {}
    return decoder, models_of(given, decoder, folders)


def load_saved(saved: SavedDecoder) -> Decoder:
    """Load the decoder that was saved with a model."""
    from posttrain.catalogue.index import load_decoder

    return load_decoder(saved.name, saved.settings)


def decoder_of(spec: str | None) -> Decoder | None:
    """Return the decoder of `NAME`, `./mine.py` or either with settings: `NAME:key=value,key=value`."""
    from posttrain.catalogue.index import load_decoder
    from posttrain.data.sources import parse_spec
    from posttrain.evaluation.compare.contender import value

    if spec is None:
        return None
    name, settings = parse_spec(spec)
    return load_decoder(name, {key: value(text) for key, text in settings.items()})


def models_of(given: Sequence[str] | None, decoder: Decoder | None, saved: Mapping[str, str]) -> dict[str, str]:
    """Return the models of `ROLE=MODEL`, else those that were `saved` with the model.

    Raises ConfigError for one that the decoder does not read, or lacks.
    """
    from posttrain.errors import ConfigError, suggestion

    pairs = [text.partition("=") for text in given or ()]
    if bad := next((role + sign for role, sign, model in pairs if not (role and sign and model)), None):
        raise ConfigError(f"--role {bad}: write ROLE=MODEL, such as --role reference=FOLDER")
    models = {role: model for role, _, model in pairs}
    if decoder is None:
        if models:
            raise ConfigError(f"--role {next(iter(models))}: only a decoder reads it; add --decoder NAME")
        return models
    wanted = [role for role in decoder.roles if role != "policy"]
    if unread := next((role for role in models if role not in wanted), None):
        known = f"{suggestion(unread, wanted)}; it reads {', '.join(wanted) or 'no model but the one that is sampled'}"
        raise ConfigError(f"--role {unread}: {decoder.name} does not read it{known}")
    models = {role: saved[role] for role in wanted if role in saved} | models
    if missing := next((role for role in wanted if role not in models), None):
        raise ConfigError(f"--decoder {decoder.name} reads the model {missing!r}; add --role {missing}=MODEL")
    return models
