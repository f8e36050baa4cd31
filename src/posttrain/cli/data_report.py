"""The report of `posttrain data check` on a terminal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from posttrain.data.chat.show import visible
from posttrain.data.report import Lengths, Report

SHOWN = 20  # unusable rows that are listed; --json lists all


def print_report(name: str, report: Report) -> None:
    """Print the numbers of a file, then what cannot be used and what is ignored."""
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    for label, value in _lines(report):
        table.add_row(label, Text(value))
    console.print(Text(f"{name}: {report.kind}", style="bold"))
    console.print(table)
    for notice in report.notices:
        console.print(Text(f"note: {visible(notice)}", style="yellow"))
    for message in report.unusable[:SHOWN]:
        console.print(Text(f"unusable: {visible(message)}", style="red"))
    if len(report.unusable) > SHOWN:
        console.print(Text(f"and {len(report.unusable) - SHOWN} more; --json lists all", style="red"))


@contextmanager
def unlogged(*names: str) -> Iterator[None]:
    """Silence the loggers of some files of the room `data`, whose notices a report repeats."""
    loggers = [logging.getLogger(f"posttrain.data.{name}") for name in names]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _lines(report: Report) -> Iterator[tuple[str, str]]:
    yield "records", f"{report.records}, which become {report.rows} rows; {len(report.unusable)} cannot be used"
    share = f" ({report.trained / report.tokens:.0%})" if report.tokens else ""
    yield "tokens", f"{report.tokens}, of them {report.trained} trained{share}"
    if report.lengths is not None:
        yield "length of a row", _lengths(report.lengths)
    if report.trained_lengths is not None:
        yield "trained in a row", _lengths(report.trained_lengths)
    yield (
        "too long",
        f"{report.too_long} rows of more than {report.max_length} tokens"
        + ("; set data.truncate to left, right or drop" if report.too_long else ""),
    )
    yield "repeated", f"{report.duplicates} records; {report.same_prompt} more have the prompt of another one"


def _lengths(x: Lengths) -> str:
    return f"{x.least} to {x.most}, mean {x.mean:.1f}, median {x.median}, 90% up to {x.p90}, 99% up to {x.p99}"
