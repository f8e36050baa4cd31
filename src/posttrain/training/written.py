"""A model as a run writes it: its folder, and in it what it answers by."""

from __future__ import annotations

from pathlib import Path

from posttrain.catalogue.index import load_decoder
from posttrain.runs.decoder import SavedDecoder, write_decoder
from posttrain.training.run import Run


def write_model(run: Run, role: str, folder: Path, decoder: SavedDecoder | None) -> None:
    """Write the model of a role, and its decoder with the models that this reads."""
    run.learner.save(role, folder)
    if decoder is not None:
        loaded = load_decoder(decoder.name, decoder.settings, run.file.base, decoder.parts)
        write_decoder(folder, decoder, [r for r in loaded.roles if r != "policy"], run.learner.save)
