"""The form of calls is read off each template by writing one and reading it back."""

import pytest

from posttrain.environments.tools.find import Writing, writing_of
from posttrain.environments.tools.parse import parse
from posttrain.environments.tools.turn import messages_of
from tests.border.encoders import encoder_of


@pytest.mark.parametrize(
    ("name", "writing"),
    [
        ("qwen2.5", Writing("hermes")),
        ("qwen3", Writing("hermes")),
        ("llama3", Writing("json")),
        ("mistral3", Writing("mistral", system=False)),
        ("granite3", Writing("json")),
        ("chatml", Writing("hermes", tools=False)),
        ("gemma3", Writing("hermes", tools=False, results=False)),
        ("gemma2", Writing("hermes", tools=False, results=False, system=False)),
        ("r1", Writing("hermes", thinking=True, tools=False, results=False)),
    ],
)
def test_the_form_of_a_family(name, writing):
    assert writing_of(encoder_of(name).template) == writing


CODER = """{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.tool_calls %}{% for c in m.tool_calls %}<tool_call>
<function={{ c.function.name }}>
{% for k, v in c.function.arguments.items() %}<parameter={{ k }}>
{{ v }}
</parameter>
{% endfor %}</function>
</tool_call>{% endfor %}{% else %}{{ m.content }}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def test_the_form_of_qwen_coder_and_python():
    assert writing_of(encoder_of("chatml", template=CODER).template).form == "qwen_coder"
    python = CODER.replace("<tool_call>\n<function={{ c.function.name }}>\n", "[{{ c.function.name }}(")
    python = python.replace(
        "<parameter={{ k }}>\n{{ v }}\n</parameter>\n", "{{ ', ' if not loop.first }}{{ k }}={{ v }}"
    )
    python = python.replace("</function>\n</tool_call>", ")]")
    assert writing_of(encoder_of("chatml", template=python).template).form == "pythonic"


DEEPSEEK = """{% for m in messages %}{% if m.role == 'user' %}<｜User｜>{{ m.content }}{% endif %}
{%- if m.role == 'assistant' and m.content is none %}<｜Assistant｜><｜tool▁calls▁begin｜>{% for c in m.tool_calls %}
{{- '<｜tool▁call▁begin｜>' + c.type + '<｜tool▁sep｜>' + c.function.name + '\\n```json\\n' }}
{{- c.function.arguments + '\\n```<｜tool▁call▁end｜>' }}
{%- endfor %}<｜tool▁calls▁end｜>{% elif m.role == 'assistant' %}<｜Assistant｜>{{ m.content }}{% endif %}
{%- endfor %}{% if add_generation_prompt %}<｜Assistant｜>{% endif %}"""
HARMONY = """{% for m in messages %}<|start|>{{ m.role }}{% if m.tool_calls %}
{%- set f = m.tool_calls[0].function %}{{ ' to=functions.' + f.name }}<|channel|>commentary json<|message|>
{{- f.arguments | tojson }}<|call|>
{%- else %}{{ '<|channel|>final' if m.role == 'assistant' }}<|message|>{{ m.content }}<|end|>{% endif %}
{%- endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}"""


@pytest.mark.parametrize(("form", "template"), [("deepseek", DEEPSEEK), ("harmony", HARMONY)])
def test_the_form_of_deepseek_and_harmony(form, template):
    """DeepSeek's templates write calls of messages without content, whose arguments are a text."""
    assert writing_of(encoder_of("chatml", template=template).template).form == form


def test_a_turn_as_messages():
    text = 'Let me see.\n<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>'
    whole, apart = messages_of(parse(text))
    assert whole == {"role": "assistant", "content": text}
    function = {"name": "f", "arguments": {"a": 1}}
    call = {"id": "call00000", "type": "function", "function": function}
    assert apart == {"role": "assistant", "content": "Let me see.", "tool_calls": [call]}
    for other in ("Paris", "<tool_call>x</tool_call>", text + "<tool_call>x"):
        assert messages_of(parse(other)) == [{"role": "assistant", "content": other}]
