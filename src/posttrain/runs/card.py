"""The model card of a finished model: where it comes from and how it was evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


def write_card(folder: Path, config: Mapping[str, Any], measured: Sequence[str], gates: Sequence[str] = ()) -> None:
    """Write `README.md` beside the weights, in the format of model hubs.

    `measured`: a line for each evaluation. `gates`: one for each demand, and whether the model passed it.
    """
    named = config.get("procedure") or config["method"]
    head = yaml.safe_dump(
        {
            "library_name": "posttrain",
            "base_model": config["model"]["path"],
            "tags": ["posttrain", named["path"]],
        },
        sort_keys=False,
    )
    lines = [
        f"# {config['model']['path']}, trained with {named['path']}",
        "",
        *(measured or ["No evaluation was asked for."]),
        *(["", "What its run file demands of it:", "", *(f"- {gate}" for gate in gates)] if gates else []),
        "",
        "The run file that reproduces it:",
        "",
        "```yaml",
        yaml.safe_dump(dict(config), sort_keys=False).rstrip(),
        "```",
    ]
    (folder / "README.md").write_text(f"---\n{head}---\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
