"""Families of chat templates, written anew with the structure of the real ones (templates/NAME.jinja).

What a family does with a feature of the data is one of three: it writes it, it leaves it out without a word, or it
refuses it. A feature is `system`, `tools`, `calls`, `results` (of tools), `thoughts` (reasoning_content),
`documents` or `consecutive` (two turns of the user in a row).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "templates"
FEATURES = frozenset({"system", "tools", "calls", "results", "thoughts", "documents", "consecutive"})
TOOLS = {"tools", "calls", "results"}
WORDS = ("<think>", "</think>", "<answer>", "</answer>")
TOOL_WORDS = (*WORDS, "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")


@dataclass(frozen=True, eq=False)
class Family:
    """A template, and the special tokens of its tokenizer: `control`, of which `eos` is one.

    `marker`: the special token that begins the assistant's turn. `closes`: the one that ends it, if it is not EOS.
    `words`: added tokens that mark no turns. `swallows`: special tokens swallow the white space behind them.
    `opens`: the generation prompt opens a thought that the history drops. `tail`: the template writes EOS behind a
    whole conversation. `one_call`: in a turn. `forgets`: earlier turns lose their thoughts.
    """

    name: str
    control: tuple[str, ...]
    eos: str
    bos: str = ""
    marker: str = ""
    closes: str = ""
    words: tuple[str, ...] = WORDS
    writes: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    swallows: bool = False
    opens: bool = False
    tail: bool = False
    one_call: bool = False
    forgets: bool = False

    @property
    def end(self) -> str:
        """The token that ends the assistant's turn."""
        return self.closes or self.eos

    @property
    def thought(self) -> str:
        """What an answer must begin with: nothing, or a thought where the generation prompt opens one."""
        return "<think>\nhm\n</think>\n\n" if self.opens else ""

    @property
    def leaves_out(self) -> frozenset[str]:
        return FEATURES - self.writes - self.refuses

    @property
    def template(self) -> str | dict[str, str]:
        """The text of the template, or of several by name."""
        own = (FOLDER / f"{self.name}.jinja").read_text(encoding="utf-8")
        others = {p.stem.removeprefix(f"{self.name}."): p for p in FOLDER.glob(f"{self.name}.*.jinja")}
        named = {name: path.read_text(encoding="utf-8") for name, path in others.items()}
        return {"default": own, **named} if named else own


def family(name: str, *control: str, writes: str = "", refuses: str = "", **rest: object) -> Family:
    return Family(name, control, writes=frozenset(writes.split()), refuses=frozenset(refuses.split()), **rest)  # type: ignore[arg-type]


IM = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
QWEN = {"eos": "<|im_end|>", "marker": "<|im_start|>", "words": TOOL_WORDS}
GEMMA = {"eos": "<eos>", "bos": "<bos>", "marker": "<start_of_turn>", "closes": "<end_of_turn>"}
GEMMA_TOKENS = ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>")
LLAMA_TOKENS = {"eos": "</s>", "bos": "<s>"}

FAMILIES = (
    family("chatml", *IM, eos="<|im_end|>", marker="<|im_start|>", writes="system results consecutive"),
    # a default system turn
    family(
        "smollm2", *IM, eos="<|im_end|>", bos="<|im_start|>", marker="<|im_start|>", writes="system results consecutive"
    ),
    # the system text inside the first question, BOS before each
    family("llama2", "<s>", "</s>", **LLAMA_TOKENS, writes="system", refuses="results consecutive"),
    # a system turn always, tools in the first question, one call at a time, results as JSON
    family(
        "llama3",
        *("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        eos="<|eot_id|>",
        bos="<|begin_of_text|>",
        marker="<|start_header_id|>",
        writes="system tools calls results consecutive",
        one_call=True,
    ),
    family("mistral1", "<s>", "</s>", **LLAMA_TOKENS, refuses="system results consecutive"),
    # tools before the last question, so that the history is rewritten; ids of nine characters
    family(
        "mistral3",
        *("<s>", "</s>", "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
        *("[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
        **LLAMA_TOKENS,
        writes="tools calls results consecutive",
        refuses="system",
    ),
    family("qwen2.5", *IM, **QWEN, writes="system tools calls results consecutive"),
    # thoughts behind the last question only; the last answer always has one, if only an empty one
    family("qwen3", *IM, **QWEN, forgets=True, writes="system tools calls results thoughts consecutive"),
    # the generation prompt opens the thought, the history drops it
    family(
        "r1",
        *("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"),
        eos="<｜end▁of▁sentence｜>",
        bos="<｜begin▁of▁sentence｜>",
        marker="<｜Assistant｜>",
        writes="system thoughts consecutive",
        opens=True,
        forgets=True,
    ),
    family("gemma2", *GEMMA_TOKENS, **GEMMA, refuses="system results consecutive"),
    # the system text before the first question
    family("gemma3", *GEMMA_TOKENS, **GEMMA, writes="system", refuses="results consecutive"),
    # special tokens swallow the line ends behind them; EOS behind the whole conversation
    family(
        "phi3",
        *("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        eos="<|endoftext|>",
        closes="<|end|>",
        marker="<|assistant|>",
        writes="system consecutive",
        swallows=True,
        tail=True,
    ),
    family("phi4", *IM, "<|im_sep|>", eos="<|im_end|>", marker="<|im_start|>", writes="system consecutive"),
    # EOS behind the last answer only; roles are ordinary text
    family("olmo2", "<|endoftext|>", eos="<|endoftext|>", bos="<|endoftext|>", writes="system results consecutive"),
    family(
        "tulu",
        "<|begin_of_text|>",
        "<|end_of_text|>",
        eos="<|end_of_text|>",
        bos="<|begin_of_text|>",
        writes="system consecutive",
    ),
    # EOS ends everybody's turn
    family("zephyr", "<s>", "</s>", **LLAMA_TOKENS, writes="system consecutive"),
    # a default system text with the year, tools and documents as turns of their own
    family(
        "granite3",
        *("<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>", "<|tool_call|>"),
        eos="<|end_of_text|>",
        bos="<|end_of_text|>",
        marker="<|start_of_role|>",
        writes="system tools calls results documents consecutive",
    ),
    # a template of its own for tools
    family(
        "command_r",
        *("<BOS_TOKEN>", "<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>"),
        "<|SYSTEM_TOKEN|>",
        eos="<|END_OF_TURN_TOKEN|>",
        bos="<BOS_TOKEN>",
        marker="<|START_OF_TURN_TOKEN|>",
        writes="system tools calls results consecutive",
    ),
    # thoughts are a message of their own; the last answer ends with another token than the earlier ones
    family(
        "harmony",
        *("<|endoftext|>", "<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|return|>"),
        eos="<|return|>",
        marker="<|start|>",
        forgets=True,
        writes="system thoughts consecutive",
    ),
)
BY_NAME = {f.name: f for f in FAMILIES}
