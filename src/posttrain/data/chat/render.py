"""Render chat templates, one after the other, in a process of its own: `python -P render.py SECONDS BYTES`.

Requests and replies are lines of JSON. A template is untrusted code: jinja's sandbox keeps it away from Python's
internals, and the kernel ends it when it computes for too long or takes too much memory. Only transformers knows what a
template may use, so its own function renders.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from typing import Any

LONGEST = 16 * 2**20  # characters


def main(seconds: float, memory: int) -> None:
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    from transformers.utils import chat_template_utils as _warm  # noqa: F401 -- before memory is limited

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, seconds)  # CPU time: a busy machine does not shorten it
        reply = _answer(line, memory)
        signal.setitimer(signal.ITIMER_PROF, 0)
        replies.write(reply + "\n")
        replies.flush()


def _answer(line: str, memory: int) -> str:
    try:
        text = render(**json.loads(line))
        if len(text) <= LONGEST:
            return json.dumps({"text": text})
        reason = f"it wrote {len(text)} characters, at most {LONGEST} are allowed"
    except MemoryError:
        reason = f"it took more than {memory >> 20} MiB of memory"
    except Exception as error:  # noqa: BLE001 -- untrusted code may raise anything
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return json.dumps({"fault": reason[:1000]})


def render(
    template: str, conversation: list[Any], answer_next: bool, continues: bool, variables: dict[str, Any]
) -> str:
    """Render as `tokenizer.apply_chat_template` does; `variables` are the tokenizer's special tokens by name.

    `answer_next`: with the generation prompt. `continues`: up to the last word of the last message.
    """
    from transformers.utils.chat_template_utils import render_jinja_template

    (text,), _ = render_jinja_template(
        [conversation],
        chat_template=template,
        add_generation_prompt=answer_next,
        continue_final_message=continues,
        **variables,
    )
    return str(text)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
