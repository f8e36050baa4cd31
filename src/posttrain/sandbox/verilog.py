"""Simulations of Verilog by Icarus: the preprocessor, the compiler and the simulator, each in a sandbox of its own.

Its driver `iverilog` starts several processes, which no sandbox here allows. So each tool is started alone, and reads
what the one before it wrote. The tools need bubblewrap: under Landlock there are no files to write to.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

from posttrain.errors import SandboxError
from posttrain.sandbox import reader
from posttrain.sandbox.box import Box
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.tier import Tier
from posttrain.sandbox.verdict import Judgement, exit_problem, last_line

_CONFIG = """basedir:{home}
module:{home}/system.vpi
module:{home}/v2005_math.vpi
module:{home}/v2009.vpi
generation:2012
generation:no-specify
generation:xtypes
generation:icarus-misc
out:/dev/stdout
iwidth:32
widthcap:65536
"""


@cache
def home() -> Path:
    """Find the folder of Icarus' tools. Raises SandboxError where it is not installed."""
    folders = [
        *Path("/usr/lib").glob("*/ivl"),
        Path("/usr/lib/ivl"),
        Path("/usr/lib64/ivl"),
        Path("/usr/local/lib/ivl"),
    ]
    found = [folder for folder in folders if (folder / "ivl").is_file()]
    if not found or shutil.which("vvp", path="/usr/bin:/usr/local/bin") is None:
        raise SandboxError("Icarus Verilog is not installed: apt-get install iverilog")
    return found[0]


def simulate(tier: Tier, sources: list[str], limits: Limits) -> str | Judgement:
    """Return what the simulation of the sources together prints, or what went wrong. Each tool has the time limit.

    Raises SandboxError where Icarus is not installed, or the sandbox is not bubblewrap.
    """
    if tier.name != "bubblewrap":
        raise SandboxError(f"Verilog is simulated in the sandbox bubblewrap alone, not in {tier.name}")
    ivl = str(home())
    names = {f"{k}.v": source for k, source in enumerate(sources)}
    flags = {"flags": "D:__ICARUS__=1\nrelative include:false\n", "files": "".join(f"{name}\n" for name in names)}
    plain = _run(tier, {**names, **flags}, [f"{ivl}/ivlpp", "-L", "-Fflags", "-ffiles"], limits)
    if isinstance(plain, Judgement):
        return plain
    config = {"plain.v": plain, "config": _CONFIG.format(home=ivl)}
    command = [f"{ivl}/ivl", "-Cconfig", f"-C{ivl}/vvp.conf", "--", "plain.v"]
    compiled = _run(tier, config, command, limits)
    if isinstance(compiled, Judgement):
        return compiled
    vvp = str(shutil.which("vvp", path="/usr/bin:/usr/local/bin"))
    return _run(tier, {"compiled": compiled}, [vvp, "-n", "compiled"], limits)


def _run(tier: Tier, files: dict[str, str], command: list[str], limits: Limits) -> str | Judgement:
    """Return what a tool writes, or why it failed."""
    try:
        with Box(tier, "tool.become", replace(limits, tools=True), files=files, command=command) as box:
            box.finish_input()
            reader.run(box)
    except OSError as error:
        return Judgement("infrastructure error", f"the sandbox cannot be started: {error}")
    problem = exit_problem(box)
    if problem is not None and problem.verdict == "failed":
        return Judgement("failed", f"{Path(command[0]).name}: {last_line(box.errors) or problem.reason}")
    return problem or box.output.decode(errors="replace")
