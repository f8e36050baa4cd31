"""The run file: schema, YAML, overrides, errors."""

from posttrain.config.load import load, resolved
from posttrain.config.schema import RunFile
from posttrain.config.yaml_ import dump

__all__ = ["RunFile", "dump", "load", "resolved"]
