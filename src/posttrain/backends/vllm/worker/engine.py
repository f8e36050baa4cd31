"""vLLM as an engine that draws what the native engine draws: one request, one seed, the same answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from vllm import LLM, SamplingParams
from vllm.config import WeightTransferConfig
from vllm.distributed.weight_transfer.factory import WeightTransferEngineFactory
from vllm.sampling_params import RequestOutputKind

from posttrain.backends.vllm.frames import Message
from posttrain.backends.vllm.handover import opened
from posttrain.backends.vllm.worker.draw import Draw
from posttrain.backends.vllm.worker.rows import SETTINGS
from posttrain.backends.vllm.worker.serve import Drawn, Engine
from posttrain.backends.vllm.worker.transfer import FolderTransfer

TRANSFER = "posttrain_folder"


class VllmEngine(Engine):
    """vLLM in this process. `Draw` chooses the tokens; the logit that it leaves for a token is its log-prob."""

    def __init__(self, start: Message) -> None:
        folder, version = Path(start["folder"]), int(start["version"])
        for _ in opened(folder, version):  # vLLM reads the files by itself, so they are checked before
            pass
        WeightTransferEngineFactory.register_engine(TRANSFER, FolderTransfer)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        settings = {
            "dtype": config.get("dtype") or config.get("torch_dtype") or "auto",  # its "auto" rounds float32
            "enable_prefix_caching": True,
            "disable_log_stats": True,
            **start["settings"],
        }
        self.llm = LLM(
            str(folder),
            skip_tokenizer_init=True,
            generation_config="vllm",  # the defaults of the folder would be added to every request
            async_scheduling=False,
            logprobs_mode="processed_logits",
            logits_processors=[Draw],
            weight_transfer_config=WeightTransferConfig(backend=TRANSFER),
            **settings,
        )
        self.llm.update_weight_version(str(version))

    @property
    def version(self) -> int:
        """The version that vLLM itself has committed."""
        return int(self.llm.get_weight_version())

    @property
    def busy(self) -> bool:
        """Whether an answer is not finished."""
        return bool(self.llm.llm_engine.has_unfinished_requests())

    def add(self, request: Message) -> None:
        """Begin an answer. Greedy for vLLM, since `Draw` has chosen before."""
        settings = SamplingParams(
            temperature=0.0,
            max_tokens=request["total"] - request["before"],
            logprobs=0,
            ignore_eos=True,
            stop_token_ids=request["stop"],
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
            extra_args={name: request[name] for name in SETTINGS},
        )
        self.llm.llm_engine.add_request(str(request["number"]), {"prompt_token_ids": request["tokens"]}, settings)

    def cancel(self, numbers: Sequence[int]) -> None:
        """Abort answers."""
        self.llm.llm_engine.abort_request([str(number) for number in numbers])

    def step(self) -> list[Drawn]:
        """Run the model once. The log-prob is looked up by the token: vLLM may list others before it."""
        drawn: list[Drawn] = []
        for output in self.llm.llm_engine.step():
            answer = output.outputs[0]
            entries = answer.logprobs or []
            for token, entry in zip(answer.token_ids, entries, strict=True):
                drawn.append((int(output.request_id), token, float(entry[token].logprob)))
        return drawn

    def load(self, folder: Path, version: int) -> None:
        """Hand the weights to vLLM by its own interface, and drop what was cached under others."""
        if self.busy:
            raise RuntimeError("answers are running, so the weights cannot change")
        self.llm.start_weight_update()
        self.llm.update_weights({"update_info": {"folder": str(folder), "version": version}})
        self.llm.finish_weight_update(str(version))
        self.forget()

    def forget(self) -> None:
        """Drop the cache of prefixes."""
        if not self.llm.reset_prefix_cache():
            raise RuntimeError("vLLM kept keys and values of older weights")
