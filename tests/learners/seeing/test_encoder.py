"""Encoders: the stand-in by shared words, and a CLIP model of random weights in a folder."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from posttrain.errors import ModelError
from posttrain.learners.seeing.encoder import CAPTIONS, CaptionEncoder, encoder
from posttrain.learners.worlds.chain import Chain


def test_texts_that_share_words_are_near():
    eyes = encoder(CAPTIONS)
    one, same, near, far = eyes.texts(
        ["The door is open.", "the DOOR is open", "The door is shut.", "A key lies there"]
    )
    assert np.linalg.norm(one) == pytest.approx(1.0)
    assert one @ same == pytest.approx(1.0)
    assert one @ near > 0.5 > one @ far
    assert np.isfinite(eyes.texts([""])).all()
    chain = Chain(length=3)
    assert (eyes.states(chain, [1]) == CaptionEncoder().texts([chain.describe(1)])).all()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("clip")
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {
        **small,
        "vocab_size": 8,
        "max_position_embeddings": 8,
        "eos_token_id": 2,
        "bos_token_id": 1,
        "pad_token_id": 0,
    }
    vision = {**small, "image_size": 16, "patch_size": 8}
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({"[PAD]": 0, "the": 1, "[EOS]": 2, "goal": 3, "start": 4, "[UNK]": 5}, "[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    return folder


def test_a_clip_model_sees_pictures_and_reads_texts(clip):
    eyes, chain = encoder(str(clip)), Chain(length=4)
    seen, read = eyes.states(chain, [0, 1, 2]), eyes.texts(["the goal", "start"])
    assert seen.shape == (3, 12)
    assert read.shape == (2, 12)
    assert np.linalg.norm(np.concatenate([seen, read]), axis=1) == pytest.approx(np.ones(5))
    assert seen[1] == pytest.approx(eyes.states(chain, [1])[0], abs=1e-6)
    assert seen[0] != pytest.approx(seen[1], abs=1e-4)


def test_what_is_no_clip_model_is_named(tmp_path):
    with pytest.raises(ModelError, match="no such folder; give that of a CLIP model, or encoder: captions"):
        encoder(str(tmp_path / "none"))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "clip"}))
    with pytest.raises(ModelError, match="no CLIP model of transformers with its tokenizer"):
        encoder(str(tmp_path))
