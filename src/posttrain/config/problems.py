"""Reports all problems of a run file in one message: the place, the value, what was expected, what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from posttrain.config.aliases import ALIASES, REMEDIES
from posttrain.config.outline import field_at, fields, kind_at, section, shown
from posttrain.config.yaml_ import Document

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
    "path_type": "a path",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "tuple_type": "a list",
    "literal_error": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "a text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
}


def report(error: ValidationError, document: Document) -> str:
    """Return one line per problem, each with its place in the file or on the command line."""
    lines = [_problem(details, document) for details in error.errors(include_url=False)]
    if len(lines) == 1:
        return lines[0]
    return "\n".join([f"{document.name or 'the run'}: {len(lines)} problems", *(f"  {line}" for line in lines)])


def _problem(details: Mapping[str, Any], document: Document) -> str:
    location = details["loc"]
    path, kind, value = shown(location), details["type"], details["input"]
    where = _place(path, document)
    if kind == "extra_forbidden":
        problem = _unknown(location, value)
    elif kind == "missing":
        problem = f"{path} is missing{_meaning(location)}"
    elif kind == "value_error":
        message = str(details["ctx"]["error"])
        problem = f"{path}: {message}" if path else message
    elif kind in _EXPECTED:
        expected = _EXPECTED[kind].format_map(details.get("ctx", {}))
        if kind == "string_type" and isinstance(value, int | float):
            expected += f", in quotes: {path}='\"{_value(value)}\"' on a command line"
        problem = f"{path} is {_value(value)}; expected {expected}{_meaning(location)}"
    else:
        problem = f"{path} is {_value(value)}; {details['msg']}{_meaning(location)}"
    return f"{where}: {problem}" if where else problem


def _place(path: str, document: Document) -> str:
    """Return the line of the value, or that of the nearest mapping around it."""
    while path and path not in document.marks:
        path = path.rpartition(".")[0]
    return document.marks.get(path, document.name)


def _meaning(location: Sequence[int | str]) -> str:
    """Return what the key means, in parentheses; nothing for a key without a meaning."""
    field = field_at([str(part) for part in location if not str(part).startswith("<")])
    text = " ".join((field.description or "").split()) if field else ""
    return f" ({text[0].lower()}{text[1:].rstrip('.')})" if text else ""


def _value(value: Any) -> str:
    plain = {None: "null", True: "true", False: "false"}
    text = plain[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown(location: Sequence[int | str], value: Any) -> str:
    path, key = shown(location), str(location[-1])
    if key in REMEDIES:
        return f"{path} is not a key of the run file; {REMEDIES[key]}"
    if "." in key and field_at(key.split(".")):
        first, _, rest = key.partition(".")
        return f"{path} is not a key of the run file; write it nested, as in {first}: {{{rest}: {_value(value)}}}"
    meant = _meant(location, key)
    hint = f" (did you mean {meant!r}?)" if meant else "; `posttrain keys` lists them"
    return f"{path} is not a key of the run file{hint}"


def _meant(location: Sequence[int | str], key: str) -> str | None:
    """Return the same key in another place, else a similar key in this place, else a similar key anywhere."""
    everywhere = {name: name.rpartition(".")[2] for name, _ in fields()}
    same = [name for name, last in everywhere.items() if last == key]
    if same or key in ALIASES:
        return same[0] if same else ALIASES[key]
    owner = section(kind_at([str(part) for part in location[:-1]]))
    if close := difflib.get_close_matches(key, owner.model_fields if owner else (), 1, 0.6):
        return shown([*location[:-1], close[0]])
    anywhere = {last: name for name, last in everywhere.items()} | ALIASES
    close = difflib.get_close_matches(key, anywhere, 1, 0.75)
    return anywhere[close[0]] if close else None
