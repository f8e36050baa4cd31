"""The live view of a run as one picture: `panel(progress, now, width, height)` draws, and knows nothing else."""

from __future__ import annotations

from rich.box import ROUNDED
from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.table import Table
from rich.text import Text

from posttrain.viewer.curves import Curve, area, sparkline
from posttrain.viewer.progress import Phase, Progress, Sample
from posttrain.viewer.terminal import duration, harmless, number

Shade = tuple[int, int, int]

MINT, SKY, AMBER, ROSE = (125, 220, 168), (98, 170, 240), (240, 178, 80), (240, 120, 140)
VIOLET, TEAL, SLATE = (186, 148, 246), (86, 200, 200), (130, 140, 155)
TRACK: Shade = (58, 64, 72)  # what a bar has not reached
NIGHT: Shade = (24, 56, 58)  # the foot of the large curve

# The first of these that a run has is drawn large.
HEADLINES = ("reward", "rewards/accuracies", "accuracy", "eval/accuracy", "eval/reward", "loss")
# The others small, in this order; what the run has besides, such as the components of its reward, comes between.
CURVES: dict[str, tuple[str, Shade]] = {
    "reward": ("reward", MINT),
    "rewards/accuracies": ("accuracy", MINT),
    "accuracy": ("accuracy", MINT),
    "eval/reward": ("eval reward", MINT),
    "eval/accuracy": ("eval accuracy", MINT),
    "loss": ("loss", ROSE),
    "kl": ("kl", AMBER),
    "completions/mean_length": ("length", SKY),
    "entropy": ("entropy", VIOLET),
    "rewards/margins": ("margin", TEAL),
    "value/loss": ("value loss", VIOLET),
}
LAST: dict[str, tuple[str, Shade]] = {
    "grad_norm": ("gradient", TEAL),
    "learning_rate": ("learning rate", SLATE),
}
PARTS = {"sampling": SKY, "rewards": AMBER, "training": MINT, "evaluation": VIOLET}

LABEL, VALUE = 15, 8  # columns of a name and of a number
FIXED = 18  # lines of a panel with three rows of small curves, besides header and large curve


def panel(progress: Progress, now: float, width: int, height: int) -> RenderableType:
    """A run in `width` columns and at most `height` lines; the large curve takes the lines that are left."""
    inner = width - 6
    rows = 3 if height < 32 else 5
    tall = min(height - FIXED - len(progress.header) - (rows - 3), 6)
    headline = next((name for name in HEADLINES if name in progress.curves), None) if tall > 1 else None
    small = [name for name in small_curves(progress) if name != headline][: 2 * rows]

    blocks: list[list[RenderableType]] = [
        [Text(harmless(line), "grey62", no_wrap=True, overflow="ellipsis") for line in progress.header],
        [bar(progress, now)],
        [large(headline, progress.curves[headline], inner, tall)] if headline else [],
        [grid([cell(name, progress.curves[name], (inner - 3) // 2) for name in small])] if small else [],
        times(progress, inner) if progress.seconds else [],
        last_lines(progress, inner),
    ]
    lines: list[RenderableType] = []
    for block in filter(None, blocks):
        lines += [Text(), *block] if lines else block
    title = Text(harmless(progress.title), Style(color="default", bold=True))
    return Panel(
        Group(*lines), box=ROUNDED, title=title, title_align="left", border_style=shade(SLATE), width=width,
        padding=(1, 2),
    )  # fmt: skip


def shade(rgb: Shade, bold: bool = False) -> Style:
    """A colour as a style; rich finds the nearest one on terminals with few."""
    return Style(color=Color.from_rgb(*rgb), bold=bold or None)


def mix(a: Shade, b: Shade, share: float) -> Shade:
    """A colour between two."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def bar(progress: Progress, now: float) -> RenderableType:
    """Steps, how many of all, and the time they took and will take."""
    left = progress.remaining(now)
    time = Text(duration(progress.elapsed(now)), "grey62")
    if progress.ended is not None:
        done = progress.step >= progress.total
        time.append("  done" if done else "  stopped", shade(MINT if done else ROSE, bold=True))
    elif left is not None:
        time.append("  left ").append(duration(left), "bold default")
    total = max(progress.total, 1)
    steps = Text.assemble(("step ", "grey62"), (str(progress.step), "bold"), (f"/{progress.total}", "grey62"))
    drawn = ProgressBar(
        total, progress.step, complete_style=shade(MINT), finished_style=shade(MINT), style=shade(TRACK)
    )
    line = Table.grid(padding=(0, 2), expand=True)
    for ratio in (None, 1, None, None):
        line.add_column(ratio=ratio, no_wrap=True)
    line.add_row(steps, drawn, f"{min(progress.step / total, 1):.0%}", time)
    return line


def large(name: str, curve: Curve, width: int, height: int) -> RenderableType:
    """The main curve: its value now, its change since the start, and an area that shines at the top."""
    columns = curve.columns(width - LABEL - VALUE - 2)
    change = curve.last - curve.first
    words = [Text(label_of(name), "grey62"), Text(number(curve.last), shade(colour_of(name), bold=True))]
    words += [Text(f"{change:+.3g}", "grey62"), Text("since start", "grey62")]
    words += [Text()] * height
    axis = [number(max(columns)), *[""] * (height - 2), number(min(columns))]
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=LABEL, no_wrap=True)
    table.add_column(width=VALUE, no_wrap=True, justify="right", style="grey62")
    table.add_column(no_wrap=True)
    for i, line in enumerate(area(columns, height)):
        light = mix(colour_of(name), NIGHT, i / (height - 1) * 0.8)
        table.add_row(words[i], axis[i], Text(line, shade(light)))
    return table


def small_curves(progress: Progress) -> list[str]:
    """The names of the curves that are worth showing, the most telling ones first."""
    known = [name for name in CURVES if name in progress.curves]
    own = [name for name in progress.curves if name.startswith("rewards/") and name.endswith("/mean")]
    own += [name for name in progress.curves if name.startswith("eval/") and name not in known]
    return known + own + [name for name in LAST if name in progress.curves]


def label_of(name: str) -> str:
    """What a curve is called: `rewards/brevity/mean` is `brevity`."""
    known = CURVES | LAST
    return known[name][0] if name in known else harmless(name.removeprefix("rewards/").removesuffix("/mean"))


def colour_of(name: str) -> Shade:
    """What colour it has."""
    known = CURVES | LAST
    return known[name][1] if name in known else MINT


def grid(cells: list[Text]) -> RenderableType:
    """Small curves, two in a row."""
    table = Table.grid(padding=(0, 3, 0, 0))
    padded = [*cells, Text()]
    for left, right in zip(padded[::2], padded[1::2], strict=False):
        table.add_row(left, right)
    return table


def cell(name: str, curve: Curve, width: int) -> Text:
    """Name, value now, and the course in one line."""
    line = sparkline(curve.columns(width - LABEL - VALUE - 2))
    label = set_cell_size(label_of(name), LABEL)
    value = number(curve.last).rjust(VALUE)
    return Text.assemble((label, "grey62"), " ", (value, "bold"), " ", (line, shade(colour_of(name))))


def times(progress: Progress, width: int) -> list[RenderableType]:
    """Where the time went, as a bar in colours with its legend."""
    line, legend = Text("time".ljust(LABEL + 1), "grey62"), Text(" " * (LABEL + 1), no_wrap=True)
    space, drawn, passed = width - LABEL - 1, 0, 0.0
    for name, share in progress.shares():
        passed += share
        colour = shade(PARTS.get(name, SLATE))
        line.append("▄" * (round(passed * space) - drawn), colour)
        drawn = round(passed * space)
        legend.append("■ ", colour).append(f"{harmless(name)} ", "grey62").append(f"{share:.0%}   ")
    speed = progress.metrics.get("tokens_per_second")
    if speed is not None:
        legend.append(number(speed), "bold").append(" tokens/s", "grey62")
    legend.overflow = "ellipsis"
    return [line, legend]


def last_lines(progress: Progress, width: int) -> list[RenderableType]:
    """What the run does right now, and the last thing the model said."""
    lines: list[RenderableType] = []
    if progress.phase is not None and progress.ended is None:
        lines.append(phase_line(progress.phase, width))
    if progress.sample is not None:
        lines.append(sample_line(progress.sample, width))
    return lines


def phase_line(phase: Phase, width: int) -> Text:
    """`sampling  ━━━━━━━━────────  148/256`"""
    count = f"  {phase.done}/{phase.total}"
    space = max(width - LABEL - 1 - len(count), 1)
    filled = round(space * min(phase.done / max(phase.total, 1), 1))
    line = Text(set_cell_size(harmless(phase.name), LABEL) + " ", "grey62", no_wrap=True)
    line.append("━" * filled, shade(PARTS.get(phase.name, SLATE)))
    return line.append("━" * (space - filled), shade(TRACK)).append(count, "default")


def sample_line(sample: Sample, width: int) -> Text:
    """`sample  What is 12 + 7? → 12 + 7 = 19  reward 1`, the end of the prompt and the start of the answer."""
    reward = number(sample.reward)
    space = width - LABEL - 1 - len(" →   reward ") - len(reward)
    prompt, completion = one_line(sample.prompt), one_line(sample.completion)
    prompt = ending(prompt, max(space // 2, space - cell_len(completion)))
    completion = beginning(completion, space - cell_len(prompt))
    line = Text("sample".ljust(LABEL) + " ", "grey62", no_wrap=True).append(prompt)
    line.append(" → ", shade(SLATE)).append(completion, "default").append("  reward ")
    return line.append(reward, shade(MINT, bold=True))


def one_line(text: str) -> str:
    """A text of many lines in one, harmless."""
    return harmless("↵ ".join(line for line in text.splitlines() if line.strip()))


def beginning(text: str, room: int) -> str:
    """The text cut to `room` columns at its end."""
    return text if cell_len(text) <= room else set_cell_size(text, room - 1) + "…"


def ending(text: str, room: int) -> str:
    """The text cut to `room` columns at its beginning."""
    if cell_len(text) <= room:
        return text
    text = text[-room:]
    while cell_len(text) >= room:
        text = text[1:]
    return "…" + text
