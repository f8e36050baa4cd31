"""The settings of a method or a procedure as a table, from the docstrings of the functions that read them."""

from collections.abc import Iterator

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import settings
from posttrain.catalogue.signature import Signature, documented
from posttrain.catalogue.transforms.heads import head_settings
from posttrain.core.parts import settings_of

Row = tuple[str, str, str]  # setting, default, what it does

WEIGHT = "weight of the term in the loss; any number."
OPTIONS = "empty"


def table(path: str, kind: str) -> str:
    """A Markdown table of the settings, or an empty text where there are none."""
    rows = dict.fromkeys(of_procedure(path) if kind == "procedure" else of_method(path))
    if not rows:
        return ""
    lines = ["\n\n| setting | default | what it does |\n|---|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {default} | {text} |" for name, default, text in map(escaped, rows))])


def of_method(path: str) -> Iterator[Row]:
    """Settings of the parts in their order, then the weights of a loss with several terms."""
    method = catalogue.load(path)
    slots = [*method.derived.values(), *method.loss.values()]
    roots = [*(slot.part for slot in slots), *method.cuts]
    lines = {p.name: documented(p.fn) for root in roots for p, _, _ in settings_of([root])}
    for _, part, key, value in settings(method):
        yield f"{part}.{key}", f"{value}", lines[part][key]
    for name, value, text in head_settings(method):
        yield name, f"{value}", text
    if len(method.loss) > 1:
        for name, term in method.loss.items():
            if not isinstance(term.weight, str):
                yield f"{name}.weight", f"{term.weight}", WEIGHT


def of_procedure(path: str) -> Iterator[Row]:
    """Settings of the function; long texts are left out."""
    for name, p in Signature(catalogue.load_procedure(path), own=("session",)).settings.items():
        default = "required" if p.required else "null" if p.default is None else f"{p.default!r}"
        yield name, OPTIONS if p.default == {} else default if len(default) < 60 else "(long text)", p.doc


def escaped(row: Row) -> Row:
    name, default, text = (x.replace("|", "\\|").replace("\\n", "↵") for x in row)
    return name, default, text
