"""Reads another trainer's configuration: a YAML or JSON file, a shell script that starts it, or a command line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from posttrain.config.load import read
from posttrain.config.yaml_ import parse_value
from posttrain.convert.shell import script_words, words
from posttrain.errors import ConfigError

TRAINERS = ("sft", "dpo", "rm", "kto", "reward", "grpo", "rloo", "ppo", "orpo", "cpo", "online_dpo")
CONFIG = ("config", "config_file", "config-name")
PROCESSES = ("num_processes", "nproc_per_node", "num_gpus")
REFERENCE = re.compile(r"\$\{([\w.]+)\}")


@dataclass
class Source:
    """What a configuration says: values by key, the trainer that its command names, its processes."""

    values: dict[str, Any] = field(default_factory=dict)
    trainer: str | None = None
    gpus: int | None = None


def read_source(text: str, flattened: tuple[str, ...] | None) -> Source:
    """Return the settings of a file, or of a command line such as `trl dpo --config dpo.yaml --beta 0.2`.

    Mappings in `flattened` (None: all) get dotted keys. Raises ConfigError for a file that does not exist.
    """
    path = Path(text)
    if text.endswith((".yaml", ".yml", ".json")) and not any(c.isspace() for c in text):
        source = Source(dict(read(path).value))
    elif text.endswith(".sh") and not any(c.isspace() for c in text):
        source = _command(_script(path))
    elif any(c.isspace() for c in text):
        source = _command(words(text))
    else:
        raise ConfigError(f"{text}: a .yaml, .yml, .json or .sh file, or a command line in quotes, was expected")
    source.values = dict(_flat(source.values, "", flattened))
    return source


def _script(path: Path) -> list[str]:
    """Return the words of a shell script."""
    try:
        return script_words(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None


def _command(line: Sequence[str]) -> Source:
    """Return the settings of a command: options behind the program, and a YAML file that they name."""
    start, trainer = _program(line)
    options = dict(_options(line[:start]))
    given = dict(_options(line[start:]))
    source = Source(trainer=trainer)
    processes = next((options[p] for p in PROCESSES if p in options), None)
    source.gpus = processes if isinstance(processes, int) and processes > 0 else None
    for name in CONFIG:
        file = given.pop(name, None)
        if isinstance(file, str) and file.endswith((".yaml", ".yml", ".json")):
            source.values |= read(Path(file)).value
    source.values |= given
    return source


def _program(line: Sequence[str]) -> tuple[int, str | None]:
    """Return where the options of the training program begin, and the name of its trainer."""
    for i, word in enumerate(line):
        if word == "trl" and i + 1 < len(line):
            return i + 2, line[i + 1]
        if word.endswith(".py") or word.startswith(("verl.", "trl.", "axolotl.", "openrlhf.")):
            name = re.split(r"[/.]", word.removesuffix(".py"))[-1].removeprefix("train_")
            return i + 1, next((t for t in TRAINERS if name.startswith(t)), None)
        if word in ("llamafactory-cli", "axolotl"):
            return i + 2, None
    raise ConfigError("the command names no program: write it whole, as in 'trl dpo --config dpo.yaml'")


def _options(line: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield the options of a command: `--key value ...`, `--key=value`, `key=value`, `+key=value`, a file alone."""
    rest = list(line)
    while rest:
        word = rest.pop(0)
        if word in ("2>&1", "|", ">", "&&", ";", "&"):
            return
        key, equals, value = word.lstrip("+-").partition("=")
        if equals:
            yield _key(key), _value(value)
        elif word.startswith("--"):
            values = []
            while rest and not rest[0].startswith("--"):
                values.append(rest.pop(0))
            shown = [_value(v) for v in values]
            if not shown and key.startswith(("no_", "no-")):
                yield _key(key[3:]), False
            else:
                yield _key(key), shown[0] if len(shown) == 1 else shown or True
        elif word.endswith((".yaml", ".yml", ".json")):
            yield "config", word


def _key(name: str) -> str:
    return name if "." in name else name.replace("-", "_")


def _value(text: str) -> Any:
    """Return a value as the command line of the other trainer reads it: `True`, `None` and lists without quotes too."""
    if text in ("None", "null"):
        return None
    if re.fullmatch(r"\[[^\[\]{}\"':]*\]", text):
        return [_value(item.strip()) for item in text[1:-1].split(",") if item.strip()]
    try:
        return parse_value(text, "command line")
    except ConfigError:  # a template, a lone bracket: the text as it stands
        return text


def _flat(value: Mapping[str, Any], prefix: str, flattened: tuple[str, ...] | None) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, Mapping) and item and (flattened is None or name in flattened):
            yield from _flat(item, f"{name}.", flattened)
        else:
            yield name, _as_yaml_1_1(item)


def _as_yaml_1_1(value: Any) -> Any:
    """Return `yes`, `on`, `off` and 500_000 as other trainers read them: by YAML 1.1, unlike our run files."""
    if isinstance(value, str) and value.lower() in ("yes", "on", "off"):
        return value.lower() != "off"
    return int(value) if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(_\d+)+", value) else value


def resolved(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values whose whole text refers to another key, `${data.train_batch_size}`, with the value of that key."""

    def value_of(value: Any, depth: int = 0) -> Any:
        match = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        known = match is not None and match.group(1) in values and depth < 9
        return value_of(values[match.group(1)], depth + 1) if match and known else value

    return {key: value_of(value) for key, value in values.items()}
