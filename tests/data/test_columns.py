import pytest

from posttrain.data.columns import record
from posttrain.errors import DataError
from posttrain.records import Demonstration, Pair, Prompt, Rating
from posttrain.seeds import seed_for


def user(text):
    return {"role": "user", "content": text}


def says(text):
    return {"role": "assistant", "content": text}


def read(row, kind, **how):
    return record(row, kind, 0, "data.jsonl:17", **how)


ID = seed_for("row", 0)
W = "data.jsonl:17"
BRIEF = "Be brief."
SYSTEM = {"role": "system", "content": BRIEF}
CALL = {"type": "function", "function": {"name": "add", "arguments": {}}}
TALK = [user("Hello"), says("Good morning"), user("2 + 2?"), says("4")]


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        ("text", {"text": "Once."}, Demonstration(ID, "", "Once.", W)),
        ("text", {"messages": TALK}, Demonstration(ID, "", tuple(TALK), W)),
        ("demonstrations", {"messages": TALK}, Demonstration(ID, "", tuple(TALK), W)),
        ("demonstrations", {"text": "Once."}, Demonstration(ID, "", "Once.", W)),
        ("demonstrations", {"prompt": "2+2=", "completion": "4"}, Demonstration(ID, "2+2=", "4", W)),
        (
            "demonstrations",
            {"prompt": [user("2+2")], "completion": [says("4")]},
            Demonstration(ID, (user("2+2"),), (says("4"),), W),
        ),
        (
            "demonstrations",
            {"instruction": "Add.", "input": "2 and 2", "output": "4"},
            Demonstration(ID, (user("Add.\n\n2 and 2"),), (says("4"),), W),
        ),
        (
            "demonstrations",
            {"instruction": "Sing.", "input": "", "output": "La"},
            Demonstration(ID, (user("Sing."),), (says("La"),), W),
        ),
        (
            "demonstrations",
            {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
            Demonstration(ID, "", (user("Hi"), says("Hello")), W),
        ),
        (
            "demonstrations",
            {"instruction": "And 3+3?", "output": "6", "system": "Be brief.", "history": [["2+2?", "4"]]},
            Demonstration(ID, (SYSTEM, user("2+2?"), says("4"), user("And 3+3?")), (says("6"),), W),
        ),
        (
            "text",
            {
                "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}],
                "system": "Be brief.",
            },
            Demonstration(ID, "", (SYSTEM, user("Hi"), says("Ho")), W),
        ),
        (
            "pairs",
            {"prompt": "Sky?", "chosen": "blue", "rejected": "green", "system": "Be brief."},
            Pair(ID, (SYSTEM, user("Sky?")), (says("blue"),), (says("green"),), {}, W),
        ),
        ("prompts", {"prompt": "2+2=", "system": " "}, Prompt(ID, "2+2=", {"system": " "}, W)),
        ("prompts", {"prompt": "2+2=", "answer": 4}, Prompt(ID, "2+2=", {"answer": 4}, W)),
        ("prompts", {"messages": TALK[:3], "level": 1}, Prompt(ID, tuple(TALK[:3]), {"level": 1}, W)),
        (
            "pairs",
            {"prompt": "Sky?", "chosen": "blue", "rejected": "green", "margin": 2.0},
            Pair(ID, "Sky?", "blue", "green", {"margin": 2.0}, W),
        ),
        (
            "pairs",
            {"chosen": "The sky is blue.", "rejected": "The sky is black."},
            Pair(ID, "The sky is", " blue.", " black.", {}, W),
        ),
        (
            "pairs",
            {"chosen": [*TALK[:3], says("4")], "rejected": [*TALK[:3], says("5")]},
            Pair(ID, tuple(TALK[:3]), (says("4"),), (says("5"),), {}, W),
        ),
        (  # the assistant's first turn is the same, so the prompt ends before it
            "pairs",
            {"chosen": TALK, "rejected": [*TALK[:2], user("3 + 3?"), says("6")]},
            Pair(ID, tuple(TALK[:1]), tuple(TALK[1:]), (says("Good morning"), user("3 + 3?"), says("6")), {}, W),
        ),
        (  # UltraFeedback: the prompt once as text, and again in both conversations
            "pairs",
            {"prompt": "Hi", "chosen": [user("Hi"), says("Hello")], "rejected": [user("Hi"), says("What")]},
            Pair(ID, (user("Hi"),), (says("Hello"),), (says("What"),), {}, W),
        ),
        (
            "ratings",
            {"prompt": "Sky?", "completion": "blue", "label": False, "who": "ann"},
            Rating(ID, "Sky?", "blue", False, {"who": "ann"}, W),
        ),
        ("ratings", {"prompt": "Sky?", "completion": "blue", "label": "True"}, Rating(ID, "Sky?", "blue", True, {}, W)),
        ("ratings", {"prompt": "Sky?", "completion": "blue", "label": 0}, Rating(ID, "Sky?", "blue", False, {}, W)),
        ("ratings", {"prompt": "Sky?", "completion": "blue", "label": "1"}, Rating(ID, "Sky?", "blue", True, {}, W)),
    ],
)
def test_known_formats(kind, row, expected):
    assert read(row, kind) == expected


HH = "\n\nHuman: Where can I learn to bake?\n\nAssistant: What would you like to bake?\n\nHuman: Bread.\n\nAssistant:"


def test_hh_transcripts_become_conversations():
    talk = (user("Where can I learn to bake?"), says("What would you like to bake?"), user("Bread."))
    expected = Pair(ID, talk, (says("Start with a simple loaf.\n\nEnjoy!"),), (says("No idea."),), {}, W)
    chosen, rejected = HH + " Start with a simple loaf.\n\nEnjoy!", HH + " No idea."
    assert read({"chosen": chosen, "rejected": rejected}, "pairs") == expected
    apart = {"prompt": HH, "chosen": " Start with a simple loaf.\n\nEnjoy!", "rejected": "No idea."}
    assert read(apart, "pairs").prompt == talk
    assert read({"prompt": HH}, "prompts") == Prompt(ID, talk, {}, W)
    with pytest.raises(DataError, match="17: 'chosen' is empty"):
        read({"chosen": HH, "rejected": rejected}, "pairs")


def test_columns_are_mapped_and_the_answer_is_cut():
    row = {"question": "How many?", "answer": "6 #### 7\n#### 8 \n", "split": "train"}
    how = {"columns": {"prompt": "question", "answer": "answer"}, "answer_after": "####"}
    assert read(row, "prompts", **how) == Prompt(ID, "How many?", {"answer": "8", "split": "train"}, W)
    swapped = read(
        {"prompt": "a", "completion": "b"}, "demonstrations", columns={"prompt": "completion", "completion": "prompt"}
    )
    assert (swapped.prompt, swapped.completion) == ("b", "a")


def test_chat_makes_messages_of_plain_text():
    assert read({"prompt": "Sky?"}, "prompts", chat=True).prompt == (user("Sky?"),)
    pair = read({"prompt": "Sky?", "chosen": "blue", "rejected": "red"}, "pairs", chat=True)
    assert (pair.prompt, pair.chosen, pair.rejected) == ((user("Sky?"),), (says("blue"),), (says("red"),))
    with pytest.raises(DataError, match="this row is one text"):
        read({"text": "Once."}, "text", chat=True)


def test_messages_keep_what_templates_read():
    call = {"role": "assistant", "content": None, "tool_calls": [{"name": "add"}], "name": None}
    row = {"messages": [user("2+2"), call, {"role": "tool", "content": "4"}, says("It is 4.")]}
    kept = read(row, "demonstrations").completion
    assert kept[1] == {"role": "assistant", "content": "", "tool_calls": [{"name": "add"}]}


def test_identities():
    assert read({"id": "a", "prompt": "x"}, "prompts") == Prompt(seed_for("id", "a"), "x", {}, W)
    assert record({"prompt": "x"}, "prompts", 3, "").id == seed_for("row", 3)
    with pytest.raises(DataError, match="17: 'id' must be text or a whole number, not 1.5"):
        read({"id": 1.5, "prompt": "x"}, "prompts")


system = {"role": "system", "content": "Be kind."}
tool = {"role": "tool", "content": "4"}


@pytest.mark.fault("D4", "D7", "D8", "D9")
@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        (
            "pairs",
            {"prompt": "a", "chosn": "b", "rejected": "c"},
            "'chosen' is missing (did you mean 'chosn'?); pairs are ",
        ),
        (
            "prompts",
            {"subject": "a"},
            "'prompt' is missing; prompts are read from prompt or messages, this row has subj",
        ),
        ("prompts", {}, "this row has no columns"),
        ("prompts", {"prompt": 3}, "'prompt' must be text or a list of messages, not a number"),
        ("prompts", {"prompt": None}, "not null"),
        ("prompts", {"prompt": "  "}, "'prompt' is empty"),
        ("prompts", {"messages": TALK}, "'messages' ends with the assistant's turn, so there is nothing to answer"),
        ("prompts", {"prompt": [user("x"), says(" ")]}, "'prompt' ends with an empty message of the assistant; leave"),
        (
            "prompts",
            {"prompt": [user("x"), {**says(""), "tool_calls": [CALL]}]},
            "'prompt' ends with the call of a tool",
        ),
        ("prompts", {"messages": []}, "'messages' is an empty list"),
        ("prompts", {"messages": "x"}, "'messages' must be"),
        ("prompts", {"messages": ["x"]}, "message 1 of 'messages' must be an object with \"role\""),
        ("prompts", {"messages": [{"role": "usr", "content": "x"}]}, "has the role 'usr' (did you mean 'user'?)"),
        ("prompts", {"messages": [{"content": "x"}]}, "has the role None; roles are system, developer, user"),
        ("prompts", {"messages": [{"role": "user", "content": None}]}, "'content' must be text, not null"),
        ("prompts", {"messages": [user("x"), tool]}, "message 2 is a tool's result, but no assistant"),
        ("demonstrations", {"messages": [user("x")]}, "'messages' holds no turn of the assistant"),
        ("demonstrations", {"prompt": "x", "completion": ""}, "'completion' is empty"),
        (
            "demonstrations",
            {"prompt": [user("x")], "completion": [user("y"), says("z")]},
            "'completion' must begin with the",
        ),
        ("demonstrations", {"instruction": "x"}, "'completion' is missing"),
        ("demonstrations", {"conversations": [{"from": "robot", "value": "x"}]}, "has the role 'robot'"),
        ("text", {"text": 3}, "'text' must be text that is not empty, not 3"),
        ("pairs", {"prompt": "a", "chosen": "b", "rejected": "b"}, "'chosen' and 'rejected' are the same"),
        ("pairs", {"chosen": "a b", "rejected": "a b"}, "'chosen' and 'rejected' are the same"),
        ("pairs", {"prompt": "a", "chosen": " ", "rejected": "b"}, "'chosen' is empty"),
        ("pairs", {"prompt": [user("a")], "chosen": [says(" ")], "rejected": "b"}, "'chosen' is empty"),
        (
            "pairs",
            {"chosen": "one two", "rejected": "once two"},
            "'prompt' is missing, and 'chosen' and 'rejected' share no beginning",
        ),
        ("pairs", {"chosen": TALK, "rejected": "text"}, "one of 'chosen' and 'rejected' is text"),
        (
            "ratings",
            {"prompt": "a", "completion": "b", "label": 2},
            "'label' must be true or false (or 1 and 0), not 2",
        ),
        ("ratings", {"prompt": "a", "completion": "b", "label": "yes"}, "'label' must be true or false"),
        ("prompts", {"prompt": "a", "system": 3}, "'system' must be text"),
        ("prompts", {"prompt": [SYSTEM, user("a")], "system": "b"}, "stands in the column 'system' and in 'prompt'"),
        ("prompts", {"instruction": "a", "history": "b"}, "'history' must be a list of [question, answer]"),
        ("prompts", {"instruction": "a", "history": [["b"]]}, "pair 1 of 'history' must be [question, answer]"),
        ("ratings", {"prompt": "a", "completion": "b"}, "'label' is missing"),
    ],
)
def test_what_cannot_be_used_says_where_and_why(kind, row, expected):
    with pytest.raises(DataError) as caught:
        read(row, kind)
    assert str(caught.value).startswith("data.jsonl:17: ")
    assert expected in str(caught.value)


def test_bad_mappings():
    with pytest.raises(DataError, match=r"17: the column 'qestion', .* missing \(did you mean 'question'\?\)"):
        read({"question": "x"}, "prompts", columns={"prompt": "qestion"})
    with pytest.raises(DataError, match="17: 'answer' does not contain '####'"):
        read({"prompt": "x", "answer": "7"}, "prompts", answer_after="####")
    with pytest.raises(DataError, match="17: 'answer' is missing"):
        read({"prompt": "x"}, "prompts", answer_after="####")
