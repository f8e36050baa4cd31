"""`procedure`: a loop over models and data, instead of a method."""

from __future__ import annotations

from typing import ClassVar

from posttrain.config.code import Code


class ProcedureRef(Code):
    """The procedure to run instead of a single method, and its settings, which `posttrain explain` lists."""

    noun: ClassVar[str] = "procedure"
