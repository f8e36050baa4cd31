"""YAML as people expect it: numbers and booleans of YAML 1.2, no objects, bounded expansion, every value with its line.

PyYAML follows YAML 1.1, where `1e-4` is a string, `on` and `no` are booleans, `010` is eight and `1:30` ninety.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from posttrain.errors import ConfigError

MAX_BYTES = 1_000_000
MAX_VALUES = 20_000  # after aliases are expanded
MAX_DEPTH = 40

_TAG = "tag:yaml.org,2002:"
_RULES = (  # YAML 1.2 core schema, section 10.3.2
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"]),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        [*"-+.0123456789"],
    ),
)
_ENV = re.compile(r"\$(\$?)\{env:([^}]*)\}")
_SECRET = re.compile(r"(^|_)(API)?(KEY|TOKEN|SECRET|PASSWORD)S?($|_)", re.IGNORECASE)


def _core_schema(cls: type[Any]) -> type[Any]:
    cls.yaml_implicit_resolvers = {}
    for name, pattern, first in _RULES:
        cls.add_implicit_resolver(_TAG + name, re.compile(f"^(?:{pattern})$"), first)
    return cls


@_core_schema
class _Loader(yaml.SafeLoader):
    pass


@_core_schema
class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (the signature is PyYAML's)
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Quote texts with line breaks other than \\n, which survive in double quotes only."""
        exotic = any(char in text for char in "\x85\u2028\u2029")
        return self.represent_scalar(_TAG + "str", text, style='"' if exotic else None)


_Dumper.add_representer(str, _Dumper.represent_text)


@dataclass(frozen=True)
class Document:
    """Plain values, and the place where each was written: `marks["train.steps"] == "run.yaml:7"`."""

    value: dict[str, Any]
    name: str = ""
    marks: dict[str, str] = field(default_factory=dict)


def parse(text: str, name: str) -> Document:
    """Return the mapping that a YAML text holds. Raises ConfigError with `name:line:column` for anything else."""
    node = _compose(text, name)
    if node is None:
        raise ConfigError(f"{name}: is empty; a run file needs at least model, data and method")
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{name}: must be a mapping (key: value), not {_kind(node)}")
    builder = _Builder(name)
    value = builder.build(node, "", 0)
    return Document(value, name, builder.marks)


def parse_value(text: str, name: str) -> Any:
    """Return one value of the command line: a flow collection, a quoted text, or a plain scalar as it stands."""
    if text[:1] in ("[", "{", '"', "'"):
        node = _compose(text, name)
        return None if node is None else _Builder(name).build(node, "", 0)
    tag = next((tag for tag, pattern, _ in _RULES if re.fullmatch(pattern, text)), "str")
    return _scalar(_TAG + tag, text, name)


def dump(value: Mapping[str, Any]) -> str:
    """Return YAML text that `parse` reads back as the same values."""
    text: str = yaml.dump(_escaped(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def _compose(text: str, name: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = error.problem or error.context or "cannot be read"
        raise ConfigError(f"{place}: not valid YAML: {problem}{_remedy(problem)}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{name}:{line}: the character {error.character!r} is not allowed in YAML") from None
    except RecursionError:
        raise ConfigError(f"{name}: is nested too deeply (more than {MAX_DEPTH} levels)") from None
    return node


def _remedy(problem: str) -> str:
    if "'\\t'" in problem or "\t" in problem:
        return "; indent with spaces, not tabs"
    if "mapping values are not allowed" in problem:
        return "; quote a text that contains ': '"
    return ""


def _kind(node: yaml.Node) -> str:
    return "a list" if isinstance(node, yaml.SequenceNode) else f"the value {node.value!r}"


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _int(text: str) -> int:
    return int(text, 0) if text.startswith(("0o", "0x")) else int(text)


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_SCALARS: dict[str, Callable[[str], Any]] = {
    "null": lambda _: None,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "str": str,
}


@dataclass
class _Builder:
    """Turns nodes into values and remembers their lines."""

    name: str
    marks: dict[str, str] = field(default_factory=dict)
    values: int = 0

    def place(self, node: yaml.Node) -> str:
        """Return the file and line of a node: `run.yaml:7`."""
        return f"{self.name}:{node.start_mark.line + 1}"

    def build(self, node: yaml.Node, path: str, depth: int) -> Any:
        """Return the value of a node. Raises ConfigError for too many values, deep nesting and foreign tags."""
        self.values += 1
        if self.values > MAX_VALUES:
            raise ConfigError(
                f"{self.place(node)}: more than {MAX_VALUES} values (aliases are expanded); this is no run file"
            )
        if depth > MAX_DEPTH:
            raise ConfigError(f"{self.place(node)}: is nested too deeply (more than {MAX_DEPTH} levels)")
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self.mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.item(n, f"{path}.{i}", depth) for i, n in enumerate(node.value)]
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        """Return a mapping. Raises ConfigError for a key that is given twice."""
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = self.key(key_node), key_node.start_mark.line + 1
            if key in values:
                raise ConfigError(
                    f"{self.name}:{line}:{key_node.start_mark.column + 1}: {key!r} is given twice; "
                    f"the first is on line {lines[key]}"
                )
            lines[key] = line
            inner = f"{path}.{key}" if path else key
            values[key] = self.item(value_node, inner, depth)
            self.marks[inner] = f"{self.name}:{line}"
        return values

    def item(self, node: yaml.Node, path: str, depth: int) -> Any:
        """Return a value inside a collection, and remember its line."""
        self.marks[path] = self.place(node)
        return self.build(node, path, depth + 1)

    def key(self, node: yaml.Node) -> str:
        """Return the key of a mapping, which must be text."""
        key = self.scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            shown = node.value if isinstance(node, yaml.ScalarNode) else "a collection"
            raise ConfigError(f"{self.place(node)}: a key must be text, not {shown}; quote it")
        return key

    def scalar(self, node: yaml.Node) -> Any:
        """Return a single value."""
        if not isinstance(node, yaml.ScalarNode):
            raise ConfigError(f"{self.place(node)}: the tag {node.tag!r} is not allowed; write plain values")
        return _scalar(node.tag, node.value, self.place(node))


def _scalar(tag: str, text: str, place: str) -> Any:
    convert = _SCALARS.get(tag.removeprefix(_TAG))
    if convert is None:
        raise ConfigError(f"{place}: the tag {tag!r} is not allowed; write plain values")
    try:
        return _interpolate(convert(text), place)
    except ValueError:
        raise ConfigError(f"{place}: {text[:40]!r} is no {tag.removeprefix(_TAG)}") from None


def _interpolate(value: Any, place: str) -> Any:
    """Replace `${env:NAME}` in a text; `$${env:NAME}` stands for itself."""

    def replace(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return match.group()[1:]
        if _SECRET.search(name):
            raise ConfigError(
                f"{place}: {match.group()} would be written into the run's config.yaml; "
                "secrets are read from the environment by what needs them, name the variable instead"
            )
        if name not in os.environ:
            raise ConfigError(f"{place}: the environment variable {name!r} is not set")
        return os.environ[name]

    return _ENV.sub(replace, value) if isinstance(value, str) else value


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return _ENV.sub(lambda match: "$" + match.group(), value)
    if isinstance(value, Mapping):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value
