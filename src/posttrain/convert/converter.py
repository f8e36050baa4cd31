"""Applies the rules of another trainer to its settings."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure
from posttrain.catalogue.transforms.off_policy import corrected
from posttrain.config.load import load
from posttrain.config.yaml_ import parse
from posttrain.convert.draft import Draft, short
from posttrain.convert.rules import Becomes, Idle, Peer, UnsupportedError, Without
from posttrain.convert.run_file_text import text_of
from posttrain.convert.settings import Settings
from posttrain.convert.source import read_source, resolved
from posttrain.core.parts import PartError
from posttrain.errors import ConfigError, suggestion

PEERS = ("trl", "verl", "openrlhf", "axolotl", "llamafactory")


def peer_of(name: str) -> Peer:
    """Return another trainer by the name of its file. Raises ConfigError for an unknown one."""
    if name not in PEERS:
        raise ConfigError(f"no trainer {name!r}{suggestion(name, PEERS)}; known: {', '.join(PEERS)}")
    peer: Peer = importlib.import_module(f"posttrain.convert.{name}").PEER
    return peer


def convert(peer: Peer, settings: Settings) -> Draft:
    """Return the run file that corresponds to another trainer's settings, with remarks on all that does not."""
    draft = Draft()
    for key, value in settings.given.items():
        _apply(peer, key, value, draft)
    peer.assemble(settings, draft)  # what is given comes before defaults
    return draft


def convert_text(name: str, source: str, *, trainer: str | None = None, gpus: int | None = None) -> str:
    """Return the run file that corresponds to another trainer's configuration, as text.

    `source` is a file or a command line. `trainer` and `gpus` take precedence over what it says.
    """
    peer = peer_of(name)
    read = read_source(source, peer.flattened)
    settings = Settings(
        resolved(read.values), peer=peer.name, trainer=trainer or read.trainer, gpus=gpus or read.gpus or 1
    )
    return text_of(convert(peer, settings), peer.name, " ".join(source.split())[:60])


def checked(text: str) -> str:
    """Return the text if it loads as a run file whose method reads the settings. Raises ConfigError otherwise."""
    run = load(parse(text, "the converted run file").value)
    if run.method is not None:
        try:
            method = corrected(catalogue.load(run.method.path), run.train.rollout_correction, older=False)
            configure(method, run.method.settings)
        except PartError as error:
            raise ConfigError(f"the converted run file: {error}") from None
    return text


def _apply(peer: Peer, key: str, value: Any, draft: Draft) -> None:
    rule = peer.rule(key)
    if rule is None:
        draft.unknown.append(f"{key}: {short(value)}{suggestion(key, peer.rules)}")
    elif isinstance(rule, Becomes):
        becomes(draft, rule, key, value, key)
    elif isinstance(rule, Idle):
        draft.idle.append(key)
    elif isinstance(rule, Without):
        if any(value == off and type(value) is type(off) for off in rule.off):
            draft.idle.append(key)
        else:
            draft.lose(key, value, rule.why)


def becomes(draft: Draft, rule: Becomes, key: str, value: Any, origin: str) -> None:
    """Set the key that a rule names; a value without a counterpart becomes a remark."""
    if value is None:
        return
    try:
        draft.set(rule.key, rule.value(value), origin)
    except UnsupportedError as error:
        draft.lose(key, value, str(error))
        if error.nearest is not None:
            draft.set(rule.key, error.nearest, f"{origin}, as near as it gets")
        return
    if rule.note:
        draft.differ(f"{key}: {rule.note}")


def fill(settings: Settings, draft: Draft, peer_rules: dict[str, Any], keys: Iterable[str]) -> None:
    """Set the keys of simple rules whose value the other trainer would take from its own defaults."""
    for key in keys:
        rule = peer_rules[key]
        if key not in settings and settings(key) is not None:
            becomes(draft, rule, key, settings(key), settings.origin(key))
