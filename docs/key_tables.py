"""The tables of docs/from_trl.md, from_verl.md and from_openrlhf.md, from the rules that `posttrain convert` applies."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from posttrain.convert.converter import peer_of
from posttrain.convert.openrlhf_ppo import ESTIMATORS as OPENRLHF
from posttrain.convert.preferences import LOSSES
from posttrain.convert.rules import Becomes, Idle, Joined, Without
from posttrain.convert.verl_losses import ESTIMATORS, REDUCTIONS

BEGIN, END = "<!-- {}: written by docs/build.py -->", "<!-- end of {} -->"


def written(text: str, tables: dict[str, str]) -> str:
    """The page with fresh tables between the markers of each."""
    for name, table in tables.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"the page lacks the markers {begin} and {end}")
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def of_trl() -> dict[str, str]:
    """The tables of from_trl.md."""
    rows = [
        (f"`{k}`", f"`{loss.path}`", _settings(loss.beta, loss.smoothing, loss.fixed)) for k, loss in LOSSES.items()
    ]
    return {"losses": _table(("`loss_type` of DPO", "method", "settings"), rows), **_of("trl", "TRL")}


def of_verl() -> dict[str, str]:
    """The tables of from_verl.md."""
    estimators = [(f"`{name}`", f"`{path}`") for name, path in ESTIMATORS.items()]
    reductions = [(f"`{name}`", f"`{reduction}`") for name, reduction in REDUCTIONS.items()]
    return {
        "estimators": _table(("`algorithm.adv_estimator`", "method"), estimators),
        "reductions": _table(("`loss_agg_mode`", "`method.policy.reduce`"), reductions),
        **_of("verl", "verl"),
    }


def of_openrlhf() -> dict[str, str]:
    """The tables of from_openrlhf.md."""
    estimators = [(f"`{name}`", f"`{path}`") for name, path in OPENRLHF.items()]
    return {
        "estimators": _table(("`algo.advantage.estimator`", "method"), estimators),
        **_of("openrlhf", "OpenRLHF"),
    }


def _of(peer: str, name: str) -> dict[str, str]:
    rules = list(peer_of(peer).rules.items())
    used = [(key, rule) for key, rule in rules if isinstance(rule, Becomes | Joined)]
    return {
        "keys": _table((name, "posttrain", "how"), [(k, f"`{r.key}`", r.note) for k, r in _merged(used)]),
        "without": _table((name, "why, and what comes closest"), _by_reason(rules, Without)),
        "idle": _table((name, "why"), _by_reason(rules, Idle)),
    }


def _merged(rules: list[tuple[str, Becomes | Joined]]) -> list[tuple[str, Becomes | Joined]]:
    """Neighbours with one rule in one row."""
    groups = [list(group) for _, group in groupby(rules, lambda item: id(item[1]))]
    return [(_names(key for key, _ in group), group[0][1]) for group in groups]


def _by_reason(rules: Iterable[tuple[str, object]], kind: type[Without] | type[Idle]) -> list[tuple[str, str]]:
    reasons: dict[str, list[str]] = {}
    for key, rule in rules:
        if isinstance(rule, kind):
            reasons.setdefault(rule.why, []).append(key)
    return [(_names(keys), why) for why, keys in reasons.items()]


def _names(keys: Iterable[str]) -> str:
    return ", ".join(f"`{key}*`" if key.endswith(".") else f"`{key}`" for key in keys)


def _settings(beta: str | None, smoothing: str | None, fixed: Mapping[str, object]) -> str:
    parts = [f"`{key}` is `{theirs}`" for key, theirs in ((beta, "beta"), (smoothing, "label_smoothing")) if key]
    return ", ".join([*parts, *(f"`{key}: {value}`" for key, value in fixed.items())])


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)])
