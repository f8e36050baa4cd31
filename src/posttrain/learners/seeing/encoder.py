"""Encoders of pictures and texts into one space, where the cosine says how well they fit.

`captions` reads the captions of pictures in place of the pictures: it counts words, needs no model and stands in for
one offline. A folder is a CLIP model of transformers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from posttrain.errors import ModelError
from posttrain.learners.seeing.picture import picture
from posttrain.learners.world import Floats, State, World
from posttrain.seeds import seed_for

CAPTIONS = "captions"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of CLIP's training pictures


class Encoder(Protocol):
    """Maps what is seen of states, and texts, to unit vectors [N, D]."""

    def states(self, world: World, states: Sequence[State]) -> Floats: ...

    def texts(self, texts: Sequence[str]) -> Floats: ...


def encoder(path: str) -> Encoder:
    """Return the stand-in for `captions`, else the CLIP model of a folder."""
    return CaptionEncoder() if path == CAPTIONS else ClipEncoder(path)


class CaptionEncoder(Encoder):
    """Counts the words of a text, each with a random direction of its own: captions that share words are near."""

    def __init__(self, size: int = 256) -> None:
        self.size = size

    def states(self, world: World, states: Sequence[State]) -> Floats:
        return self.texts([world.describe(state) for state in states])

    def texts(self, texts: Sequence[str]) -> Floats:
        return unit(np.array([self._text(text) for text in texts]))

    def _text(self, text: str) -> Floats:
        words = re.findall(r"\w+", text.casefold()) or [""]
        generators = [np.random.default_rng(seed_for("word", word)) for word in words]
        return np.asarray(np.sum([g.standard_normal(self.size) for g in generators], axis=0))


class ClipEncoder(Encoder):
    """A CLIP model of transformers in a folder, with its tokenizer. Pictures are resized to what it was trained on."""

    def __init__(self, folder: str | Path) -> None:
        from transformers import AutoTokenizer, CLIPModel

        if not Path(folder).is_dir():
            raise ModelError(f"{folder}: no such folder; give that of a CLIP model, or encoder: {CAPTIONS} offline")
        try:
            self.model = CLIPModel.from_pretrained(folder, local_files_only=True).eval()
            self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise ModelError(f"{folder}: no CLIP model of transformers with its tokenizer ({error})") from error

    def states(self, world: World, states: Sequence[State]) -> Floats:
        import torch

        size = self.model.config.vision_config.image_size
        drawn = [torch.from_numpy(picture(world, state).copy()).permute(2, 0, 1).float() / 255 for state in states]
        resized = [torch.nn.functional.interpolate(p[None], size=(size, size), mode="bicubic") for p in drawn]
        mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in (MEAN, STD))
        with torch.no_grad():
            return _vectors(self.model.get_image_features(pixel_values=(torch.cat(resized).clamp(0, 1) - mean) / std))

    def texts(self, texts: Sequence[str]) -> Floats:
        import torch

        with torch.no_grad():
            return _vectors(
                self.model.get_text_features(**self.tokenizer(list(texts), padding=True, return_tensors="pt"))
            )


def unit(vectors: Floats) -> Floats:
    """Return vectors [N, D] of length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _vectors(features: Any) -> Floats:
    features = getattr(features, "pooler_output", features)
    return unit(features.double().numpy())
