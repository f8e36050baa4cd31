"""A weight transfer engine of vLLM that reads a folder in shared memory; CPUs have no NCCL and no IPC."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from vllm.distributed.weight_transfer.base import WeightTransferEngine
from vllm.model_executor.model_loader.reload import finalize_layerwise_reload, initialize_layerwise_reload

from posttrain.backends.vllm.handover import HandoverError, opened
from posttrain.backends.vllm.worker.complete import places, tied, without


@dataclass
class Start:
    """Nothing to agree on before the first update."""


@dataclass
class Update:
    """A sealed folder and the version that it is said to hold."""

    folder: str
    version: int


class FolderTransfer(WeightTransferEngine):  # type: ignore[misc]
    """Loads all weights of a folder. Raises HandoverError where one of the model's own got none."""

    init_info_cls = Start
    update_info_cls = Update

    def __init__(self, *of_vllm: Any) -> None:
        super().__init__(*of_vllm)
        self.places: dict[str, int] = {}
        self.loaded: set[str] = set()

    def init_transfer_engine(self, init_info: Start) -> None:
        """There is no connection to open."""

    def start_weight_update(self) -> None:
        """Let the layers wait for their weights."""
        self.places, self.loaded = places(self.model), set[str]()
        initialize_layerwise_reload(self.model)

    def receive_weights(self, update_info: Update) -> None:
        """Load the folder. vLLM only warns of a layer that gets nothing and keeps its old weights."""
        weights = opened(Path(update_info.folder), update_info.version)
        self.loaded = set(self.model.load_weights(weights) or self.places)  # None: it does not say which
        if left := without(self.places, self.loaded):
            raise HandoverError(f"half an update: {', '.join(left[:3])} got no weights, {len(left)} in all")

    def finish_weight_update(self) -> None:
        """Process what was loaded into the tensors that the model computes with."""
        layers = tied(self.model, self.places, self.loaded)
        finalize_layerwise_reload(self.model, self.model_config)
        for layer in layers:  # they may hold a packed copy, which vLLM does not make again
            cast(Any, layer.quant_method).process_weights_after_loading(layer)

    def shutdown(self) -> None:
        """There is no connection to close."""
