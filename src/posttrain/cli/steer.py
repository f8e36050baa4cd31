"""`posttrain steer MODEL DATA --aligned MODEL`: a model that answers harmful prompts as an aligned one would."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posttrain.cli.model import ModelName, open_model


def steer(
    model: ModelName,
    data: Annotated[str, typer.Argument(help="Prompts with the column `harmful`.", show_default=False)],
    aligned: Annotated[str, typer.Option(help="A model with the same tokenizer and shape that refuses harm.")],
    output: Annotated[Path, typer.Option(help="Folder of the model with its decoder.")],
    label: Annotated[str, typer.Option(help="Column that is true of harmful prompts.")] = "harmful",
    strength: Annotated[float, typer.Option(help="Length of the shift, in safety vectors; 0.5 to 4.", min=0)] = 1.0,
    first: Annotated[float, typer.Option(help="First steered layer, as a share of the depth.", min=0, max=1)] = 0.3,
    last: Annotated[float, typer.Option(help="Where steering ends, likewise.", min=0, max=1)] = 0.8,
    chat: Annotated[bool, typer.Option("--chat", help="Make plain-text prompts messages of a chat.")] = False,
) -> None:
    """Save a model with the decoder infer_aligner, which shifts its activations where a prompt looks harmful.

    `posttrain sample` and `posttrain eval` answer by it; no weight is changed.
    """
    from posttrain.data.dataset import load
    from posttrain.errors import ConfigError
    from posttrain.launch.steering import steering
    from posttrain.records import Prompt
    from posttrain.runs.decoder import SavedDecoder

    if output.exists():
        raise ConfigError(f"--output {output} exists; name a new folder")
    prompts = [p for p in load(data, "prompts", chat=chat) if isinstance(p, Prompt)]
    with open_model(model, seed=0, models={"aligned": aligned}) as session:
        if "aligned" not in session.run.learner.models:  # type: ignore[attr-defined]
            raise ConfigError(f"--aligned {aligned}: it must have the tokenizer of {model}")
        parts, told = steering(session, prompts, label, first=first, last=last)
        session.save("policy", output, decoder=SavedDecoder("infer_aligner", {"strength": strength}, parts=parts))
    steered = [i for i, b in enumerate(parts["bias"].tolist()) if b != float("-inf")]
    shares = [told[i] for i in steered]
    between = f"{min(shares):.0%} to {max(shares):.0%}" if shares else "none"
    typer.echo(f"{output}: {len(steered)} of {len(told)} layers are steered; their gates tell {between} of the prompts")
