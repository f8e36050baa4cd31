"""The settings of a method. They belong to the functions that read them; one that no function reads cannot be set."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from posttrain.catalogue.transforms import step_merging
from posttrain.catalogue.transforms.aggregation import aggregated
from posttrain.catalogue.transforms.components import composed
from posttrain.catalogue.transforms.entropy import with_entropy
from posttrain.catalogue.transforms.heads import HEAD_KEYS, head_settings, heads_of, reshaped
from posttrain.catalogue.transforms.idle_streams import without_idle_streams
from posttrain.catalogue.transforms.judges import judged
from posttrain.catalogue.transforms.kl import kl_in_loss, kl_in_reward
from posttrain.catalogue.transforms.kl_within import kl_within
from posttrain.catalogue.transforms.lagged import drawn, paced
from posttrain.catalogue.transforms.moving_reference import with_moving_reference
from posttrain.catalogue.transforms.turns import discounted
from posttrain.core.method import Method, Reduce, Sampling, Term, variant
from posttrain.core.parts import Part, PartError, settings_of
from posttrain.errors import suggestion

ADDING: dict[str, Callable[[Method, Any], Method]] = {  # settings that add others
    "aggregate": aggregated,
    "components": composed,
    "discount": discounted,
    "entropy": with_entropy,
    "judges": judged,
    "kl_in_loss": kl_in_loss,
    "kl_in_reward": kl_in_reward,
}
AFTER_A_KL: dict[str, Callable[[Method, Any], Method]] = {  # settings that change a KL which others may have added
    "kl_within": kl_within,
    "moving_reference": with_moving_reference,
}
GUIDE = "guide"  # the slot of the parts that say where guides begin or end
Setting = tuple[str, str, str, Any]  # slot, part, key, value


def settings(method: Method) -> list[Setting]:
    """List every setting that the method reads: (slot, part, key, value)."""
    slots = [*((k, d.part) for k, d in method.derived.items()), *((k, t.part) for k, t in method.loss.items())]
    slots += [(GUIDE, cut) for cut in method.cuts]
    return [(slot, p.name, k, v) for slot, root in slots for p, k, v in settings_of([root])]


def configure(method: Method, changes: Mapping[str, Any]) -> Method:
    """Return the method with other settings.

    `aggregate: mean` (transforms/aggregation.py); `components: [helpful, brief]` (transforms/components.py);
    `discount: turns` (transforms/turns.py); `moving_reference: 0.01`; `entropy: bonus` (transforms/entropy.py);
    `judges: [safe]` (transforms/judges.py); `kl_in_loss: k3` and `kl_in_reward: none` (transforms/kl.py);
    `kl_within: parts` (transforms/kl_within.py);
    `scores.size: 8` (transforms/heads.py); `high: 0.28`; `gae.lam: 0.9` for every part of that name;
    `cost_credit.lam: 0.9`, `kl.weight: 0.01` or `policy.reduce: token_mean` for one slot; `passes`, `minibatches`.
    A stream that a weight of 0 leaves without a reader is left out.
    Raises PartError for a name that the method does not read or that is ambiguous, and for a value of the wrong type.
    """
    for path, value in sorted(changes.items(), key=lambda change: change[0] not in ADDING):
        method = _change(method, path, tuple(value) if isinstance(value, list) else value)
    return without_idle_streams(method) if changes else method


def _change(method: Method, path: str, value: Any) -> Method:
    *owner, key = path.split(".")
    if path.split(".")[0] == step_merging.NAME:
        return step_merging.with_merged_steps(method, path, value)
    if path in AFTER_A_KL:
        return AFTER_A_KL[path](method, value)
    if path in ADDING:
        return ADDING[path](method, value)
    if len(owner) == 1 and key in HEAD_KEYS and owner[0] in heads_of(method):
        return reshaped(method, owner[0], key, value)
    if not owner and key in ("passes", "minibatches"):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise PartError(f"method.{path} must be a whole number of at least 1, not {value!r}")
        return variant(method, **{key: value})
    if key in ("weight", "reduce") and len(owner) == 1 and owner[0] in method.loss:
        term = _change_term(method.loss[owner[0]], path, key, value)
        return variant(method, loss=method.loss | {owner[0]: term})
    if len(owner) == 1 and owner[0] in method.averages and key in ("decay", "batches"):
        return paced(method, owner[0], key, value)
    return _set(method, path, owner, key, value)


def _set(method: Method, path: str, owner: list[str], key: str, value: Any) -> Method:
    """Change a setting of the parts that read it, and of what measures and draws by it."""
    hits = _hits(method, path, owner, key)

    def changed(root: Part, slot: str) -> Part:
        def change(p: Part, k: str, v: Any) -> Any:
            return _typed(p, k, value, path) if k == key and (slot, p.name) in hits else v

        return root.with_settings(change)

    def measured(p: Part, k: str, v: Any) -> Any:
        """Change the settings of metrics that had the loss's old value, so that they measure the new loss."""
        return _typed(p, k, value, path) if k == key and v in old else v

    def guided(author: Sampling) -> Sampling:
        if author.guide is None:
            return author
        return replace(author, guide=replace(author.guide, cut=changed(author.guide.cut, GUIDE)))

    old = [v for slot, fn, k, v in settings(method) if k == key and (slot, fn) in hits]
    return variant(
        method,
        streams={
            k: drawn(replace(s, sampling=tuple(map(guided, s.sampling))), key, old, value)
            for k, s in method.streams.items()
        },
        derived={k: replace(d, part=changed(d.part, k)) for k, d in method.derived.items()},
        loss={k: replace(t, part=changed(t.part, k)) for k, t in method.loss.items()},
        metrics={k: replace(t, part=t.part.with_settings(measured)) for k, t in method.metrics.items()},
    )


def _change_term(term: Term, path: str, key: str, value: Any) -> Term:
    if key == "weight":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PartError(f"method.{path} must be a number, not {value!r}")
        return replace(term, weight=float(value))
    choices = [r.name.lower() for r in Reduce]
    if value not in choices:
        raise PartError(f"method.{path} must be one of {', '.join(choices)}, not {value!r}")
    return replace(term, reduce=Reduce[value.upper()])


def _hits(method: Method, path: str, owner: list[str], key: str) -> set[tuple[str, str]]:
    """Return the (slot, part) pairs whose setting a path names. Raises PartError for none, or several functions."""
    readers = settings(method)
    hits = {(slot, fn) for slot, fn, k, _ in readers if k == key and owner in ([], [fn], [slot], [slot, fn])}
    if not hits:
        known = sorted(
            {f"{fn}.{k}" for _, fn, k, _ in readers}
            | {f"{slot}.weight" for slot in method.loss}
            | {name for name, _, _ in head_settings(method)}
        )
        close = suggestion(path, known) or suggestion(key, [k for _, _, k, _ in readers])
        raise PartError(
            f"method {method.name!r} reads no setting {path!r}{close}; it reads {', '.join(known)}, passes, minibatches"
        )
    functions = sorted({fn for _, fn in hits})
    if len(functions) > 1 and not owner:
        raise PartError(
            f"{path!r} is read by {' and '.join(functions)}: write {' or '.join(f'{f}.{key}' for f in functions)}"
        )
    return hits


def _typed(p: Part, key: str, value: Any, path: str) -> Any:
    """Check a value against the annotation of the setting, and convert int to float. Raises PartError."""
    hint = typing.get_type_hints(p.fn).get(key)
    if typing.get_origin(hint) is typing.Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            raise PartError(f"method.{path} must be one of {', '.join(choices)}, not {value!r}")
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    fits = hint is None or hint is Any or not isinstance(hint, type) or isinstance(value, hint)
    if not fits or (isinstance(value, bool) and hint in (int, float)):
        raise PartError(f"method.{path} must be {getattr(hint, '__name__', hint)}, not {value!r}")
    return value
