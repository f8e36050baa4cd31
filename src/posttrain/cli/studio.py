"""`posttrain studio [RUNS...]`: runs, answers and annotations in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def studio(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUNS]...", help="Folders of runs, or of many runs; `runs` by default."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; others than this machine need --login.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8642,
    login: Annotated[bool, typer.Option("--login", help="People enter by name and password.")] = False,
    add: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:ROLE", help="Add an account (owner, viewer, annotator), ask for its password, stop."
        ),
    ] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Remove an account and stop.")] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="Folder to write to; `annotations` in the first one by default.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate (PEM).", show_default=False)] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key (PEM).", show_default=False)] = None,
    unencrypted: Annotated[
        bool, typer.Option("--unencrypted", help="Allow other addresses without TLS, as behind a proxy that adds it.")
    ] = False,
    name: Annotated[
        list[str] | None, typer.Option("--name", metavar="HOST", help="Host name under which browsers ask for it.")
    ] = None,
) -> None:
    """Open the studio: see runs and answers in a browser, and let people say what is better."""
    from posttrain.studio.folders import Folders
    from posttrain.studio.serve import Address, serve
    from posttrain.studio.studio import Studio

    opened = Studio(Folders(runs or [Path("runs")]), annotations, login=login)
    for account in remove or ():
        opened.accounts.remove(account)
        typer.echo(f"removed {account}")
    for account in add or ():
        who, _, role = account.partition(":")
        opened.accounts.add(who, role, typer.prompt(f"password of {who}", hide_input=True, confirmation_prompt=True))
        typer.echo(f"added {who}, {role}")
    if not (add or remove):
        serve(opened, Address(host, port, certificate, key, unencrypted, tuple(name or ())), typer.echo)
