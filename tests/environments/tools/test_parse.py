"""Calls of each family of models; what cannot be read is said, and nothing is dropped or raised."""

import json

import pytest

from posttrain.environments.tools.parse import FORMS, parse

SCHEMAS = [
    {
        "type": "function",
        "function": {
            "name": "f",
            "parameters": {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "object"}},
            },
        },
    }
]


def hermes(name, arguments):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments}, ensure_ascii=False)}\n</tool_call>"


def qwen_coder(name, arguments):
    values = "".join(
        f"<parameter={k}>\n{v if isinstance(v, str) else json.dumps(v)}\n</parameter>\n" for k, v in arguments.items()
    )
    return f"<tool_call>\n<function={name}>\n{values}</function>\n</tool_call>"


def llama(name, arguments):
    return json.dumps({"name": name, "parameters": arguments}, ensure_ascii=False)


def mistral(name, arguments):
    return f"[TOOL_CALLS] [{json.dumps({'name': name, 'arguments': arguments}, ensure_ascii=False)}]"


def pythonic(name, arguments):
    return f"[{name}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})]"


def deepseek(name, arguments):
    said = json.dumps(arguments, ensure_ascii=False)
    call = f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{said}\n```<｜tool▁call▁end｜>"
    return f"<｜tool▁calls▁begin｜>{call}<｜tool▁calls▁end｜>"


def harmony(name, arguments):
    said = json.dumps(arguments, ensure_ascii=False)
    return f"<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{said}<|call|>"


WRITERS = {
    "hermes": hermes,
    "qwen_coder": qwen_coder,
    "json": llama,
    "mistral": mistral,
    "pythonic": pythonic,
    "deepseek": deepseek,
    "harmony": harmony,
}
VALUES = [
    {},
    {"a": 3},
    {"a": -3, "b": "é 日本 👍 \u202e"},
    {"b": "two\nlines", "c": {"x": [1, {"y": {}}], "z": None, "t": True}},
    {"b": "}{ ][ )( </tool_call> [TOOL_CALLS] \" ' \\ <tool_call>"},
    {"b": "</parameter> and <function=g>"},
    {"b": "<｜tool▁call▁begin｜>g<｜tool▁call▁end｜> <|call|><|channel|>final to=g<|message|>{}"},
    {"b": ""},
    {"b": "{}"},
    {"b": "__proto__ ../../etc/passwd $(rm) '; DROP TABLE"},
    {"b": "x" * 300_000},
]
forms = pytest.mark.parametrize("form", FORMS)


def read(action):
    return [(call.name, call.arguments) for call in action.calls]


@forms
@pytest.mark.parametrize("arguments", VALUES, ids=range(len(VALUES)))
def test_a_call_is_read_back(form, arguments):
    text = WRITERS[form]("f", arguments)
    action = parse(text, form, SCHEMAS)
    assert (read(action), action.unread, action.content) == ([("f", arguments)], (), "")
    assert action.text == text


@forms
def test_several_calls_with_text_around_them(form):
    joint = "\n" if form != "mistral" else ""
    texts = ["Let me see.", WRITERS[form]("f", {"a": 1}), WRITERS[form]("g.h", {}), "Done."]
    if form == "mistral":
        texts = texts[:3]
    action = parse(joint.join(texts), form, SCHEMAS, turn=7)
    assert read(action) == [("f", {"a": 1}), ("g.h", {})]
    assert [call.id for call in action.calls] == ["call07000", "call07001"]
    assert action.content.split() == " ".join([texts[0], *texts[3:]]).split()


@forms
def test_a_thought_is_no_call(form):
    call = WRITERS[form]("f", {"a": 1})
    for text, thinking in ((f"<think>\n{call}\n</think>\n{call}", False), (f"{call}\n</think>\n{call}", True)):
        assert read(parse(text, form, SCHEMAS, thinking=thinking)) == [("f", {"a": 1})]
        assert parse(text, form, SCHEMAS, thinking=thinking).content == text[: -len(call)].strip()
    assert read(parse(f"<think>\n{call}", form, SCHEMAS)) == read(parse(call, form, SCHEMAS, thinking=True)) == []
    assert read(parse(WRITERS[form]("f", {"b": "</think>"}), form, SCHEMAS)) == [("f", {"b": "</think>"})]


@forms
@pytest.mark.parametrize("text", ["", "Paris.", "7 < 8, [1, 2], {x}", "def f(a):\n    return [a]", "[f]", '{"a": 1}'])
def test_other_texts_hold_no_calls(form, text):
    action = parse(text, form, SCHEMAS)
    assert (action.calls, action.unread, action.content) == ((), (), text)


UNREAD = {
    "hermes": [
        ("<tool_call>\n{'name': 'f'}\n</tool_call>", "Expecting property name"),
        ('<tool_call>{"name": "f", "arguments": {"a": 1}', "',' delimiter"),
        ('<tool_call>{"name": "f", "arguments": {"a": 1, "a": 2}}</tool_call>', "the key 'a' is there twice"),
        ('<tool_call>{"name": "f", "arguments": {"a": NaN}}</tool_call>', "NaN is no number"),
        ('<tool_call>{"name": "f", "arguments": {"a": ' + "1" * 5000 + "}}</tool_call>", "integer"),
        ('<tool_call>{"name": "f", "arguments": ' + '{"a":' * 100_000 + "</tool_call>", "nested too deeply"),
        ('<tool_call>{"arguments": {}}</tool_call>', 'no object with a "name"'),
        ('<tool_call>["f", 1]</tool_call>', 'no object with a "name"'),
        ('<tool_call>{"name": "f", "city": "Rome"}</tool_call>', "the key 'city' beside"),
        ('<tool_call>{"name": "f", "arguments": "a"}</tool_call>', "'arguments' are no object"),
        ('<tool_call>{"name": "f", "arguments": {}, "parameters": {}}</tool_call>', "has both"),
        ('<tool_call>{"name": "f"} and so on</tool_call>', "'and so on</tool_call' stands where"),
        ("<tool_call></tool_call>", "Expecting value"),
    ],
    "qwen_coder": [
        ("<tool_call>\n<function=f>\n<parameter=a>\n1\n", "'a' has no closing"),
        ("<tool_call>\n<function=f>\n</tool_call>", "</function> is missing"),
        ("<function=></function>", "no name"),
        ("<tool_call>f(1)</tool_call>", "does not follow <tool_call>"),
        ("<function=f><parameter=a>1</parameter><parameter=a>2</parameter></function>", "twice"),
    ],
    "json": [
        ('{"name": "f", "parameters": {"a": 1}', "',' delimiter"),
        ('<|python_tag|>{"city": 1}', 'no object with a "name"'),
        ("<|tool_call|>[]", "empty"),
        ('[{"name": "f", "parameters": 3}]', "'parameters' are no object"),
    ],
    "mistral": [
        ("[TOOL_CALLS] [{]", "Expecting property"),
        ("[TOOL_CALLS] []", "empty"),
        ("[TOOL_CALLS]f", "Expecting"),
    ],
    "deepseek": [
        ("<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{x}\n```<｜tool▁call▁end｜>", "Expecting property"),
        ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{}", "no name follows"),
        ("<｜tool▁call▁begin｜>f<｜tool▁sep｜>[1]<｜tool▁call▁end｜>", "'arguments' are no object"),
        ("<｜tool▁call▁begin｜>f<｜tool▁sep｜>{} and so on", "' and so on' stands where"),
    ],
    "harmony": [
        ("<|channel|>commentary to=functions.f<|message|>{x<|call|>", "Expecting property"),
        ("<|channel|>commentary to=f code<|message|>[1]<|call|>", "'arguments' are no object"),
        ("<|channel|>analysis to=f<|message|>{} and so on<|call|>", "'and so on<|call|>' stands where"),
    ],
    "pythonic": [
        ("[f(1)]", "every argument needs its name"),
        ("[f(a=__import__('os'))]", "is no plain value"),
        ("[f(a=b'x')]", "is no plain value"),
        ("[f(a=1", "brackets do not close"),
        ("[f(a=" + "[" * 50_000, "brackets do not close, or are nested too deeply"),
        ("[f(a=1, a=2)]", "twice"),
        ("[f(**{'a': 1})]", "every argument needs its name"),
        ("[f(a={1: 2})]", "the keys of an object are texts"),
        ("[f(a=1), 3]", "something else than calls"),
    ],
}


@pytest.mark.fault("E3")
@pytest.mark.parametrize(("form", "text", "says"), [(f, t, s) for f, cases in UNREAD.items() for t, s in cases])
def test_what_cannot_be_read_is_said(form, text, says):
    action = parse(text, form, SCHEMAS)
    assert action.calls == ()
    (unread,) = action.unread
    assert unread.startswith("call 1 cannot be read: ")
    assert says in unread


@pytest.mark.parametrize("form", ["hermes", "qwen_coder", "json", "mistral", "deepseek", "harmony"])
def test_a_call_behind_one_that_cannot_be_read_is_read(form):
    broken = {
        "json": '{"name": "f", "parameters": {"a":\n',
        "mistral": "[TOOL_CALLS] [{]",
        "deepseek": "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{x<｜tool▁call▁end｜>",
        "harmony": "<|channel|>commentary to=f<|message|>{x<|call|>",
    }.get(form, "<tool_call>{x</tool_call>")
    action = parse(broken + WRITERS[form]("f", {"a": 1}), form, SCHEMAS)
    assert read(action) == [("f", {"a": 1})]
    assert len(action.unread) == 1


def test_other_ways_of_families():
    assert read(parse('[TOOL_CALLS]f[ARGS]{"a": 1}[TOOL_CALLS]g{"b": 2}', "mistral")) == [
        ("f", {"a": 1}),
        ("g", {"b": 2}),
    ]
    two = '<|python_tag|>{"name": "f", "parameters": {}}; {"name": "g", "parameters": {}}'
    assert read(parse(two, "json")) == [("f", {}), ("g", {})]
    assert read(parse('Action: ```json\n[{"name": "f", "parameters": {"a": 1}}]\n```', "json")) == [("f", {"a": 1})]
    bare = "<function=f>\n<parameter=a>\nmany\n</parameter>\n</function>"
    assert read(parse(bare, "qwen_coder", SCHEMAS)) == [("f", {"a": "many"})]
    assert read(parse("[f(a=true, c={'x': null})]", "pythonic")) == [("f", {"a": True, "c": {"x": None}})]
    newer = "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>{}"
    assert read(parse(newer, "deepseek")) == [("f", {}), ("function", {})]
    asked = '<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{"a": 1}'
    assert read(parse(asked, "harmony")) == [("f", {"a": 1})]
    turn = f"<|channel|>analysis<|message|>Add.assistant{harmony('f', {})}{asked}"  # without the marks of turns
    assert read(parse(turn, "harmony")) == [("f", {}), ("f", {"a": 1})]
    assert parse("<|channel|>final<|message|>to=functions.f", "harmony").calls == ()
