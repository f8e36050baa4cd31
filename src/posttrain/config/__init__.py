"""The run file: its sections, YAML, overrides, errors, and the reference of its keys."""

from posttrain.config.load import load, resolved
from posttrain.config.schema import RunFile
from posttrain.config.yaml_ import dump

__all__ = ["RunFile", "dump", "load", "resolved"]
