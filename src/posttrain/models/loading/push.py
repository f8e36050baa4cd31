"""Upload a folder to the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from posttrain.errors import ModelError
from posttrain.machine import hub


def push(folder: Path, repository: str, *, public: bool = False) -> str:
    """Upload a folder as a model repository `owner/name`, private unless asked; return its address.

    A repository that exists keeps its visibility. Raises ModelError if the hub is out of reach or refuses.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if repository.count("/") != 1:
        raise ModelError(f"--push {repository}: expected owner/name")
    if not hub.reachable():
        raise ModelError(f"--push {repository}: the hub ({hub.endpoint()}) cannot be reached")
    api = HfApi()
    try:
        api.create_repo(repository, private=not public, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Upload a model of posttrain")
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(
            f"--push {repository}: {reason}; log in with `hf auth login`, or set HF_TOKEN to a token that may write"
        ) from error
    return f"{hub.endpoint()}/{repository}"
