"""The panel of the live view: `panel(progress, now, width, height)` returns a renderable and has no other input."""

from __future__ import annotations

from collections.abc import Sequence

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
from posttrain.viewer.terminal import duration, escaped, number

Colour = tuple[int, int, int]

MINT, SKY, AMBER, ROSE = (125, 220, 168), (98, 170, 240), (240, 178, 80), (240, 120, 140)
VIOLET, TEAL, SLATE = (186, 148, 246), (86, 200, 200), (130, 140, 155)
TRACK: Colour = (58, 64, 72)  # the rest of a bar
NIGHT: Colour = (24, 56, 58)  # the foot of the headline curve

# The first of these metrics that a run has is the headline curve.
HEADLINES = ("reward", "rewards/accuracies", "accuracy", "eval/accuracy", "eval/reward", "loss")
# The others are small curves in this order; a run's own metrics, such as its rewards, come between CURVES and LAST.
CURVES: dict[str, tuple[str, Colour]] = {
    "reward": ("reward", MINT),
    "rewards/accuracies": ("accuracy", MINT),
    "accuracy": ("accuracy", MINT),
    "eval/reward": ("eval reward", MINT),
    "eval/accuracy": ("eval accuracy", MINT),
    "loss": ("loss", ROSE),
    "kl": ("kl", AMBER),
    "clip_ratio/region_mean": ("clipped", ROSE),
    "completions/mean_length": ("length", SKY),
    "entropy": ("entropy", VIOLET),
    "rewards/margins": ("margin", TEAL),
    "value/loss": ("value loss", VIOLET),
}
LAST: dict[str, tuple[str, Colour]] = {
    "grad_norm": ("gradient", TEAL),
    "learning_rate": ("learning rate", SLATE),
}
PARTS = {"sampling": SKY, "rewards": AMBER, "training": MINT, "evaluation": VIOLET}

LABEL_WIDTH, VALUE_WIDTH = 15, 8  # in columns
FIXED_LINES = 18  # lines of a panel with three rows of small curves, without header and headline curve


def panel(progress: Progress, now: float, width: int, height: int) -> RenderableType:
    """Draw a run in `width` columns and at most `height` lines; the headline curve gets the remaining lines."""
    inside = width - 6
    rows = 3 if height < 32 else 5
    end = end_lines(progress)
    spare = height - FIXED_LINES - (rows - 3) - len(end)
    header = progress.header if spare >= len(progress.header) else ()
    tall = min(spare - len(header), 6)
    headline = headline_of(progress) if tall > 1 else None
    names = [name for name in small_curve_names(progress) if name != headline][: 2 * rows]
    labels = labels_of(names)
    small = [small_curve(labels[name], name, progress.curves[name], (inside - 3) // 2) for name in names]

    blocks: list[list[RenderableType]] = [
        [Text(escaped(line), "grey62", no_wrap=True, overflow="ellipsis") for line in header],
        [progress_bar(progress, now), *end],
        [headline_curve(headline, progress.curves[headline], inside, tall)] if headline else [],
        [curve_grid(small)] if small else [],
        time_shares(progress, inside) if progress.seconds else [],
        activity_lines(progress, inside),
    ]
    lines: list[RenderableType] = []
    for block in filter(None, blocks):
        lines += [Text(), *block] if lines else block
    title = Text(escaped(progress.title), Style(color="default", bold=True))
    return Panel(
        Group(*lines), box=ROUNDED, title=title, title_align="left", border_style=style(SLATE), width=width,
        padding=(1, 2),
    )  # fmt: skip


def style(rgb: Colour, bold: bool = False) -> Style:
    """Return a colour as a style; rich picks the nearest one on terminals with few colours."""
    return Style(color=Color.from_rgb(*rgb), bold=bold or None)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Return the colour that is `share` of the way from `a` to `b`."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def progress_bar(progress: Progress, now: float) -> RenderableType:
    """Draw the number of steps, a bar, and the elapsed and remaining time."""
    left = progress.remaining(now)
    time = Text(duration(progress.elapsed(now)), "grey62")
    if progress.ended is not None:
        done = progress.step >= progress.total
        time.append("  done" if done else "  stopped", style(MINT if done else ROSE, bold=True))
    elif left is not None:
        time.append("  left ").append(duration(left), "bold default")
    total = max(progress.total, 1)
    steps = Text.assemble(("step ", "grey62"), (str(progress.step), "bold"), (f"/{progress.total}", "grey62"))
    drawn = ProgressBar(
        total, progress.step, complete_style=style(MINT), finished_style=style(MINT), style=style(TRACK)
    )
    line = Table.grid(padding=(0, 2), expand=True)
    for ratio in (None, 1, None, None):
        line.add_column(ratio=ratio, no_wrap=True)
    line.add_row(steps, drawn, f"{min(progress.step / total, 1):.0%}", time)
    return line


def headline_of(progress: Progress) -> str | None:
    """Return the metric of the headline curve, if one has a finite value."""
    return next((name for name in HEADLINES if name in progress.curves and progress.curves[name].points), None)


def end_lines(progress: Progress) -> list[RenderableType]:
    """Say why a run ended before its last step, or that it is about to."""
    if progress.why:
        return [Text(escaped(progress.why), style(ROSE), no_wrap=True, overflow="ellipsis")]
    if progress.stopping and progress.ended is None:
        return [Text("stopping after this step; Ctrl-C again stops at once, without saving it", style(ROSE))]
    return []


def status_line(progress: Progress, now: float, width: int) -> Text:
    """Draw a run in one line, for a terminal that is too small for the panel."""
    headline = headline_of(progress)
    shown = f"  {label_of(headline)} {number(progress.curves[headline].last)}" if headline else ""
    left = progress.remaining(now)
    rest = "" if left is None else f"  left {duration(left)}"
    end = "" if progress.ended is None else f"  {progress.why or 'ended'}"
    line = escaped(f"step {progress.step}/{progress.total}{shown}{rest}{end}")
    return Text(without_end(line, max(width, 1)), no_wrap=True, overflow="crop")


def headline_curve(name: str, curve: Curve, width: int, height: int) -> RenderableType:
    """Draw the headline curve as an area, bright at the top, with its latest value and its change since the start."""
    columns = curve.columns(width - LABEL_WIDTH - VALUE_WIDTH - 2)
    change = curve.last - curve.first
    words = [Text(label_of(name), "grey62"), Text(number(curve.last), style(colour_of(name), bold=True))]
    words += [Text(f"{change:+.3g}", "grey62"), Text("since start", "grey62")]
    words += [Text()] * height
    axis = [number(max(columns)), *[""] * (height - 2), number(min(columns))]
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=LABEL_WIDTH, no_wrap=True)
    table.add_column(width=VALUE_WIDTH, no_wrap=True, justify="right", style="grey62")
    table.add_column(no_wrap=True)
    for i, line in enumerate(area(columns, height)):
        light = mix(colour_of(name), NIGHT, i / (height - 1) * 0.8)
        table.add_row(words[i], axis[i], Text(line, style(light)))
    return table


def small_curve_names(progress: Progress) -> list[str]:
    """Return the metrics to draw as small curves, the most informative first."""
    known = [name for name in CURVES if name in progress.curves]
    own = [name for name in progress.curves if name.startswith("rewards/") and name.endswith("/mean")]
    own += [name for name in progress.curves if name.startswith("eval/") and name not in known]
    return known + own + [name for name in LAST if name in progress.curves]


def label_of(name: str) -> str:
    """Return the label of a metric: `rewards/brevity/mean` is `brevity`, unless another metric is called so."""
    known = CURVES | LAST
    if name in known:
        return known[name][0]
    own = escaped(name.removeprefix("rewards/").removesuffix("/mean"))
    return f"reward {own}" if own in {label for label, _ in known.values()} else own


def labels_of(names: Sequence[str]) -> dict[str, str]:
    """Return the labels of metrics, each of LABEL_WIDTH columns. No two are the same: long ones lose their middle."""
    labels: dict[str, str] = {}
    for name in names:
        label = label_of(name)
        if cell_len(label) > LABEL_WIDTH:
            half = LABEL_WIDTH // 2
            label = without_end(label, half) + without_start(label, LABEL_WIDTH - half + 1).removeprefix("…")
        if label in labels.values():
            label = without_end(label, LABEL_WIDTH - 3) + f" {len(labels)}"
        labels[name] = label
    return labels


def colour_of(name: str) -> Colour:
    """Return the colour of a metric."""
    known = CURVES | LAST
    return known[name][1] if name in known else MINT


def curve_grid(cells: list[Text]) -> RenderableType:
    """Arrange small curves, two in a row."""
    table = Table.grid(padding=(0, 3, 0, 0))
    padded = [*cells, Text()]
    for left, right in zip(padded[::2], padded[1::2], strict=False):
        table.add_row(left, right)
    return table


def small_curve(label: str, name: str, curve: Curve, width: int) -> Text:
    """Draw label, latest value and sparkline in one line."""
    line = sparkline(curve.columns(width - LABEL_WIDTH - VALUE_WIDTH - 2))
    label = set_cell_size(label, LABEL_WIDTH)
    value = number(curve.last).rjust(VALUE_WIDTH)
    return Text.assemble((label, "grey62"), " ", (value, "bold"), " ", (line, style(colour_of(name))))


def time_shares(progress: Progress, width: int) -> list[RenderableType]:
    """Draw the shares of time as a coloured bar, with a legend below."""
    line, legend = Text("time".ljust(LABEL_WIDTH + 1), "grey62"), Text(" " * (LABEL_WIDTH + 1), no_wrap=True)
    space = width - LABEL_WIDTH - 1
    drawn, passed = 0, 0.0
    for name, share in progress.shares():
        passed += share
        colour = style(PARTS.get(name, SLATE))
        line.append("▄" * (round(passed * space) - drawn), colour)
        drawn = round(passed * space)
        legend.append("■ ", colour).append(f"{escaped(name)} ", "grey62").append(f"{share:.0%}   ")
    speed = progress.metrics.get("tokens_per_second")
    if speed is not None:
        legend.append(number(speed), "bold").append(" tokens/s", "grey62")
    legend.overflow = "ellipsis"
    return [line, legend]


def activity_lines(progress: Progress, width: int) -> list[RenderableType]:
    """Draw the phase of the current step, and the latest answer of the model."""
    lines: list[RenderableType] = []
    if progress.phase is not None and progress.ended is None:
        lines.append(phase_line(progress.phase, width))
    if progress.sample is not None:
        lines.append(sample_line(progress.sample, width))
    return lines


def phase_line(phase: Phase, width: int) -> Text:
    """Draw a phase as `sampling  ━━━━━━━━────────  148/256`."""
    count = f"  {phase.done}/{phase.total}"
    space = max(width - LABEL_WIDTH - 1 - len(count), 1)
    filled = round(space * min(phase.done / max(phase.total, 1), 1))
    line = Text(set_cell_size(escaped(phase.name), LABEL_WIDTH) + " ", "grey62", no_wrap=True)
    line.append("━" * filled, style(PARTS.get(phase.name, SLATE)))
    return line.append("━" * (space - filled), style(TRACK)).append(count, "default")


def sample_line(sample: Sample, width: int) -> Text:
    """Draw `sample  What is 12 + 7? → 12 + 7 = 19  reward 1`: the end of the prompt, the start of the answer."""
    reward = number(sample.reward)
    space = width - LABEL_WIDTH - 1 - len(" →   reward ") - len(reward)
    prompt, completion = one_line(sample.prompt), one_line(sample.completion)
    prompt = without_start(prompt, max(space // 2, space - cell_len(completion)))
    completion = without_end(completion, space - cell_len(prompt))
    line = Text("sample".ljust(LABEL_WIDTH) + " ", "grey62", no_wrap=True).append(prompt)
    line.append(" → ", style(SLATE)).append(completion, "default").append("  reward ")
    return line.append(reward, style(MINT, bold=True))


def one_line(text: str) -> str:
    """Return a text of many lines as one, escaped."""
    return escaped("↵ ".join(line for line in text.splitlines() if line.strip()))


def without_end(text: str, room: int) -> str:
    """Return a text cut to `room` columns, at least 1, by dropping its end."""
    room = max(room, 1)
    return text if cell_len(text) <= room else set_cell_size(text, room - 1) + "…"


def without_start(text: str, room: int) -> str:
    """Return a text cut to `room` columns by dropping its start."""
    room = max(room, 1)
    if cell_len(text) <= room:
        return text
    text = text[-room:]
    while cell_len(text) >= room:
        text = text[1:]
    return "…" + text
