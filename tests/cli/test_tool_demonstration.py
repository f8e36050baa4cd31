"""The demonstration of tools: what it teaches is what the environment rewards, in the words of its template."""

from __future__ import annotations

from posttrain.cli.tool_demonstration import TOOLS, demonstrations
from posttrain.config.load import load
from posttrain.data.chat.encode import Encoder
from posttrain.environments.bundled.arithmetic_tool import ArithmeticTool
from posttrain.environments.tools.find import writing_of
from posttrain.environments.tools.parse import parse
from posttrain.models.loading.tiny import byte_tokenizer
from posttrain.records import Demonstration, Prompt

PROBLEMS = [Prompt(0, "53-31=", {"answer": "22"})]


def test_what_is_taught_is_rewarded() -> None:
    run = load(TOOLS)
    assert run.model.chat_template is not None
    encoder = Encoder(byte_tokenizer(), 512, run.model.chat_template.read_text())
    (taught,) = demonstrations(PROBLEMS, guesses=0)
    assert isinstance(taught, Demonstration)
    (row,) = encoder.rows(taught, "demonstrations")
    text = encoder.tokenizer.decode(row.tokens)
    call = '[calculate(expression="53-31")]'
    asked = "<|system|>calculate<|end|><|user|>53-31=<|end|>"
    assert text == f"{asked}<|assistant|>{call}<|end|><|tool|>22<|end|><|assistant|>22<|end|>"
    assert sum(row.trained) == len(call) + 1 + len("22") + 1
    game, writing = ArithmeticTool(), writing_of(encoder.template)
    assert writing.tools
    game.reset(Prompt(0, "53-31=", {"answer": "22"}), 0)
    said = game.step(parse(call, writing.form, taught.arguments["tools"]))
    assert said.messages[0]["content"] == "22"
    assert game.step(parse("22", writing.form, taught.arguments["tools"])).reward == 1.0
    encoder.close()


def test_guesses_are_wrong() -> None:
    made = demonstrations([Prompt(i, f"{i}+10=", {"answer": str(i + 10)}) for i in range(8)], guesses=3)
    ends = [r.completion[-1]["content"] for r in made if isinstance(r, Demonstration)]
    right = [end == str(i + 10) for i, end in enumerate(ends)]
    assert right == [False, False, False, True] * 2
