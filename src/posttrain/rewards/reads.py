"""What a reward function takes, according to its signature: ours, TRL's or verl's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from posttrain.errors import ConfigError, suggestion
from posttrain.rewards.lookup import EXPECTED

Form = Literal["texts", "trl", "verl"]
"""texts: lists of texts, `def f(prompts, completions, **columns)`. trl: the same names, where a conversation is a list
of messages. verl: one answer a call, `def f(data_source, solution_str, ground_truth, extra_info)`."""

TEXTS = ("prompts", "completions", "conversations")
TURNS = "turn_rewards"  # what an environment said of each turn
EXTRAS = ("trainer_state", "log_extra", "log_metric")  # what TRL's trainer gives besides the data
TOKENS = "completion_ids"
VERL = ("data_source", "solution_str", "ground_truth", "extra_info")
PLURAL = {name: f"{name}s" for name in VERL}  # of verl's functions that score several answers a call

Parameters = Mapping[str, inspect.Parameter]


@dataclass(frozen=True)
class Reads:
    """What a function takes. `required`: columns of the data without which it cannot be called; `optional`: others."""

    prompts: bool
    conversations: bool
    required: tuple[str, ...]
    optional: tuple[str, ...]
    any_column: bool  # has **columns
    settings: tuple[str, ...]
    needs: tuple[str, ...] = ()  # settings without a default
    form: Form = "texts"
    extras: tuple[str, ...] = ()  # of EXTRAS
    tokens: bool = False  # the ids of the tokens of each completion
    turns: bool = False  # the rewards of the turns of each completion
    awaited: bool = False  # an async function
    batched: bool = False  # of verl's form, but with lists
    models: tuple[str, ...] = ()  # settings that are models of the run, which their annotation TextRole says

    def chooses(self, column: str) -> bool:
        """Whether a column of the data goes to the function."""
        if self.form == "verl":
            return column in (*VERL, "reward_model") and column not in self.settings
        named = column in self.required or column in self.optional
        own = (*TEXTS, *EXTRAS, TOKENS, TURNS, *self.settings)
        return named or (self.any_column and column not in own)

    def missing(self, columns: Iterable[str]) -> list[str]:
        """List the required columns that are not among these."""
        known = set(columns)
        if self.form == "verl" and "reward_model" in known:  # verl's files have it there
            known.add("ground_truth")
        return [name for name in self.required if name not in known]

    def check_settings(self, name: str, settings: Iterable[str], also: Iterable[str] = ()) -> None:
        """Raise ConfigError for a setting that is not known, or needed and not given. `also`: other known ones."""
        given, known = list(settings), [*also, *self.settings]
        for key in given:
            if key not in known:
                listed = ", ".join(known) or "none"
                raise ConfigError(f"reward {name}.{key}: unknown setting{suggestion(key, known)}; settings {listed}")
        if missing := [key for key in self.needs if key not in given]:
            raise ConfigError(f"reward {name!r} needs the setting {missing[0]!r}: {{path: {name}, {missing[0]}: ...}}")


def read(name: str, function: Callable[..., Any], given: Iterable[str] = (), form: Form | None = None) -> Reads:
    """Read the signature of a function. `given`: parameters that settings fill, so that they are no columns.

    Raises ConfigError for a function that cannot be called as a reward.
    """
    parameters = parameters_of(name, function)
    if form is not None and form not in get_args(Form):
        raise ConfigError(f"reward {name!r}: signature is {form!r}; there are {', '.join(get_args(Form))}")
    form = form or form_of(function, parameters)
    return (
        _verl(function, parameters, set(given)) if form == "verl" else _lists(name, function, parameters, given, form)
    )


def form_of(function: Callable[..., Any], parameters: Parameters) -> Form:
    """Tell the form from what a function declares, never from what it does with its arguments.

    verl: a parameter `solution_str`. trl: `completions` annotated as messages; without an annotation a parameter that
    only TRL has, or a function of trl itself.
    """
    if {"solution_str", "solution_strs"} & parameters.keys():
        return "verl"
    written = str(getattr(parameters.get("completions"), "annotation", ""))
    if "dict" in written or "str" in written:
        return "trl" if "dict" in written else "texts"
    owner = getattr(function, "__module__", None) or type(function).__module__
    only_trl = {TOKENS, *EXTRAS} & parameters.keys()
    return "trl" if only_trl or str(owner).partition(".")[0] == "trl" else "texts"


def parameters_of(name: str, function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a function by name. Raises ConfigError if it cannot be called with names alone."""
    try:
        parameters = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"reward {name!r}: its signature cannot be read ({error}); {EXPECTED}") from error
    kinds = {p.kind for p in parameters.values()}
    if inspect.Parameter.POSITIONAL_ONLY in kinds or inspect.Parameter.VAR_POSITIONAL in kinds:
        raise ConfigError(f"reward {name!r} takes arguments without names, {_shown(function)}; {EXPECTED}")
    return parameters


def scores(parameters: Parameters) -> bool:
    """Whether a function with these parameters takes answers, in any of the forms."""
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return takes_any or bool({"completions", TOKENS, "solution_str", "solution_strs"} & parameters.keys())


def _lists(name: str, function: Callable[..., Any], parameters: Parameters, given: Iterable[str], form: Form) -> Reads:
    if not scores(parameters):
        raise ConfigError(f"reward {name!r} does not take `completions`, {_shown(function)}; {EXPECTED}")
    own = {*TEXTS, *EXTRAS, TOKENS, TURNS}
    named = [p for p in parameters.values() if p.name not in own and p.kind is not p.VAR_KEYWORD]
    fixed = [p for p in named if p.kind is p.KEYWORD_ONLY or p.name in given]
    columns = [p for p in named if p not in fixed]
    any_column = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    everything = form == "trl" and any_column
    return Reads(
        prompts="prompts" in parameters or any_column,
        conversations="conversations" in parameters,
        required=tuple(p.name for p in columns if p.default is p.empty),
        optional=tuple(p.name for p in columns if p.default is not p.empty),
        any_column=any_column,
        settings=tuple(p.name for p in fixed),
        needs=tuple(p.name for p in fixed if p.default is p.empty),
        form=form,
        extras=tuple(n for n in EXTRAS if everything or n in parameters),
        tokens=everything or TOKENS in parameters,
        turns=TURNS in parameters,
        awaited=_is_async(function),
        models=tuple(p.name for p in fixed if _is_model(p)),
    )


def _is_model(parameter: inspect.Parameter) -> bool:
    """Whether a setting is annotated as a model that reads and writes text (roles/protocol.py)."""
    written = parameter.annotation
    name = written if isinstance(written, str) else getattr(written, "__name__", "")
    return name.rpartition(".")[2] == "TextRole"


def _verl(function: Callable[..., Any], parameters: Parameters, given: set[str]) -> Reads:
    """Read verl's signature: four names, of which a function may leave out some; all others are settings."""
    batched = "solution_strs" in parameters
    singular = {plural: name for name, plural in PLURAL.items()} if batched else {}
    named = {singular.get(p.name, p.name): p for p in parameters.values() if p.kind is not p.VAR_KEYWORD}
    columns = [n for n in named if n in VERL and n != "solution_str" and n not in given]
    fixed = [n for n in named if n not in VERL or n in given]
    required = [n for n in columns if named[n].default is inspect.Parameter.empty and n != "extra_info"]
    return Reads(
        prompts=False,
        conversations=False,
        required=tuple(required),
        optional=tuple(n for n in columns if n not in required),
        any_column=False,
        settings=tuple(fixed),
        needs=tuple(n for n in fixed if named[n].default is inspect.Parameter.empty),
        form="verl",
        awaited=_is_async(function),
        batched=batched,
    )


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _shown(function: Callable[..., Any]) -> str:
    return f"its signature is {inspect.signature(function)}"
