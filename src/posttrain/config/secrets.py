"""Refuses secrets in settings: a run file is copied into the run, the model card and the logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SECRET_NAME = re.compile(r"(api_?)?key|password|secret|token|authorization", re.IGNORECASE)
_SECRET = re.compile(r"^(sk-|Bearer )|^\w+://[^/]*@|[?&](api[-_]?)?(key|token)=", re.IGNORECASE)


def without_secrets(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings as they are. Raises ValueError that names the first one that is a secret."""
    if name := _secret(settings):
        raise ValueError(f"{name} holds a key or a password; put it into an environment variable ($OPENAI_API_KEY)")
    return settings


def _secret(settings: Any, name: str = "") -> str:
    """Return the name of the first setting that is a secret, "" if there is none."""
    if isinstance(settings, Mapping):
        inner = (_secret(value, str(key)) for key, value in settings.items())
        return next((secret for secret in inner if secret), "")
    if not isinstance(settings, str):
        return ""
    return name if _SECRET_NAME.fullmatch(name) or _SECRET.search(settings) else ""
