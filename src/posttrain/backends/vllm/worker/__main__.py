"""Be the process of an engine: python -m posttrain.backends.vllm.worker, with messages on standard input and output."""

import os

from posttrain.backends.vllm.frames import Inbox, pack
from posttrain.backends.vllm.worker.serve import serve


def main() -> None:
    """Serve. What vLLM prints goes to standard error, which the trainer keeps in a file."""
    replies = os.dup(1)
    os.dup2(2, 1)
    from posttrain.backends.vllm.worker.engine import VllmEngine

    def reply(message: object) -> None:
        data = memoryview(pack(message))  # type: ignore[arg-type]
        while data:
            data = data[os.write(replies, data) :]

    serve(VllmEngine, Inbox(0), reply)


if __name__ == "__main__":
    main()
