"""Rows as other libraries and data sets write them, and the records that they become."""

import json

import pytest

from posttrain.core.kinds import guess
from posttrain.data.columns import record
from posttrain.data.notices import Notices
from posttrain.data.readers.arrow_values import ArrowRow
from posttrain.errors import DataError
from posttrain.records import Demonstration, Pair, Prompt, Ranking, Rating
from posttrain.seeds import seed_for

ID, W = seed_for("row", 0), "data.jsonl:17"


def user(text):
    return {"role": "user", "content": text}


def says(text):
    return {"role": "assistant", "content": text}


def system(text):
    return {"role": "system", "content": text}


def read(row, kind, **how):
    return record(row, kind, 0, W, **how)


def noted(row, kind, **how):
    """The record and the texts of its notices."""
    notices = Notices()
    return read(row, kind, notices=notices, **how), list(notices.counts)


SAFER = {
    "prompt": "How?", "response_0": "So.", "response_1": "No.", "is_response_0_safe": False, "is_response_1_safe": True,
    "better_response_id": 0, "safer_response_id": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "chosen", "safe", "noted_as"),
    [
        ({}, "So.", (False, True), "'better_response_id'; for the order by safety set columns: {better_response_id: s"),
        ({"better_response_id": "safer_response_id"}, "No.", (True, False), "'better_response_id'"),
    ],
)
def test_pairs_of_safe_rlhf(columns, chosen, safe, noted_as):
    pair, (told,) = noted(SAFER, "pairs", columns=columns)
    assert (pair.prompt, pair.chosen, {pair.chosen, pair.rejected}) == ("How?", chosen, {"So.", "No."})
    assert (pair.columns["chosen_safe"], pair.columns["rejected_safe"]) == safe
    assert f"by {noted_as}" in told
    assert guess(SAFER).name == "pairs"


def test_a_pair_by_the_place_of_the_preferred_answer():
    row = {"prompt": "How?", "response_0": "So.", "response_1": "No."}
    assert read({**row, "preference": 1}, "pairs") == Pair(ID, "How?", "No.", "So.", {}, W)
    assert read({**row, "preference": "0"}, "pairs").chosen == "So."  # of a CSV file
    for wrong in (2, -1, None, True, 0.5):
        with pytest.raises(DataError, match=r"'preference' must be 0 or 1, the place of the better answer"):
            read({**row, "preference": wrong}, "pairs")


TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Paris"}}}
ASKS, CALLS = user("Weather in Paris?"), {"role": "assistant", "content": "", "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "18 C"}
PARIS, LYON = "It is Paris.", "It is Lyon."
QUESTION = "Capital of France?"


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        # OpenAI
        (
            "pairs",
            {
                "input": {"messages": [user(QUESTION)], "tools": [TOOL]},
                "preferred_output": [says(PARIS)],
                "non_preferred_output": [says(LYON)],
            },
            Pair(ID, (user(QUESTION),), (says(PARIS),), (says(LYON),), {"tools": [TOOL]}, W, {"tools": [TOOL]}),
        ),
        (
            "demonstrations",
            {
                "messages": [
                    ASKS,
                    {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{}"}},
                    {"role": "function", "name": "weather", "content": "18 C"},
                    says("18 C."),
                ],
                "functions": [{"name": "weather"}],
            },
            Demonstration(
                ID,
                "",
                (
                    ASKS,
                    {
                        "role": "assistant",
                        "content": "",
                        "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {}}}],
                    },
                    {"role": "tool", "name": "weather", "content": "18 C"},
                    says("18 C."),
                ),
                W,
                {},
                {"tools": [{"type": "function", "function": {"name": "weather"}}]},
            ),
        ),
        # ShareGPT
        (
            "demonstrations",
            {
                "conversations": [
                    {"from": "human", "value": "Weather in Paris?"},
                    {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Paris"}}'},
                    {"from": "observation", "value": "18 C"},
                    {"from": "gpt", "value": "18 C."},
                ],
                "system": "Be brief.",
                "tools": '[{"name": "weather"}]',
            },
            Demonstration(
                ID,
                "",
                (system("Be brief."), ASKS, CALLS, RESULT, says("18 C.")),
                W,
                {"tools": '[{"name": "weather"}]'},
                {"tools": [{"name": "weather"}]},
            ),
        ),
        (
            "demonstrations",
            {"messages": [{"from": "user", "value": "Hi"}, {"from": "model", "value": "Ho"}], "tools": "[]"},
            Demonstration(ID, "", (user("Hi"), says("Ho")), W, {"tools": "[]"}),
        ),
        (
            "text",
            {"conversation": [{"user": "human", "text": "Hi"}, {"role": "assistant", "value": "Ho"}]},
            Demonstration(ID, "", (user("Hi"), says("Ho")), W),
        ),
        (
            "pairs",
            {
                "conversations": [{"from": "human", "value": QUESTION}],
                "chosen": {"from": "gpt", "value": PARIS},
                "rejected": {"from": "gpt", "value": LYON},
            },
            Pair(ID, (user(QUESTION),), (says(PARIS),), (says(LYON),), {}, W),
        ),
        (
            "ratings",
            {
                "conversations": [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": PARIS}],
                "kto_tag": True,
            },
            Rating(ID, (user(QUESTION),), (says(PARIS),), True, {}, W),
        ),
        (
            "ratings",
            {"messages": [user(QUESTION), says(PARIS)], "label": 0},
            Rating(ID, (user(QUESTION),), (says(PARIS),), False, {}, W),
        ),
        # Alpaca and its relatives
        (
            "ratings",
            {"instruction": "Capital?", "input": "France", "output": PARIS, "kto_tag": False},
            Rating(ID, (user("Capital?\n\nFrance"),), (says(PARIS),), False, {}, W),
        ),
        (
            "demonstrations",
            {"instruction": "Capital?", "context": "France", "response": PARIS},
            Demonstration(ID, (user("Capital?\n\nFrance"),), (says(PARIS),), W),
        ),
        (
            "pairs",
            {"instruction": QUESTION, "chosen_response": PARIS, "rejected_response": LYON},
            Pair(ID, (user(QUESTION),), (says(PARIS),), (says(LYON),), {}, W),
        ),
        (
            "pairs",
            {
                "instruction": QUESTION,
                "chosen": [user(QUESTION), says(PARIS)],
                "rejected": [user(QUESTION), says(LYON)],
            },
            Pair(ID, (user(QUESTION),), (says(PARIS),), (says(LYON),), {}, W),
        ),
        (  # LLaMA-Factory's older form
            "pairs",
            {"instruction": QUESTION, "input": "", "output": [PARIS, LYON]},
            Pair(ID, (user(QUESTION),), (says(PARIS),), (says(LYON),), {}, W),
        ),
        (
            "prompts",
            {"query": "And of Italy?", "history": [[QUESTION, PARIS]]},
            Prompt(ID, (user(QUESTION), says(PARIS), user("And of Italy?")), {}, W),
        ),
        # names of other data sets
        (
            "pairs",
            {"system": "Be brief.", "question": QUESTION, "chosen": PARIS, "rejected": LYON},
            Pair(ID, (system("Be brief."), user(QUESTION)), (says(PARIS),), (says(LYON),), {}, W),
        ),
        ("demonstrations", {"prompt": "a", "response": "b"}, Demonstration(ID, "a", "b", W)),
        ("demonstrations", {"question": "a", "answer": "b"}, Demonstration(ID, "a", "b", W)),
        ("prompts", {"question": "a", "answer": "b"}, Prompt(ID, "a", {"answer": "b"}, W)),
        (  # UltraFeedback, to imitate its messages
            "demonstrations",
            {"prompt": "a", "messages": [user("a"), says("b")], "chosen": [says("b")]},
            Demonstration(ID, "", (user("a"), says("b")), W, {"prompt": "a", "chosen": [says("b")]}),
        ),
        # answers that hold the prompt
        (
            "pairs",
            {
                "prompt": f"{QUESTION} ",
                "chosen": [user(QUESTION), says(PARIS)],
                "rejected": [user(QUESTION), says(LYON)],
            },
            Pair(ID, (user(f"{QUESTION} "),), (says(PARIS),), (says(LYON),), {}, W),
        ),
        (
            "pairs",
            {
                "prompt": QUESTION,
                "chosen": [system("Be brief."), user(QUESTION), says(PARIS)],
                "rejected": [system("Be brief."), user(QUESTION), says(LYON)],
            },
            Pair(ID, (system("Be brief."), user(QUESTION)), (says(PARIS),), (says(LYON),), {}, W),
        ),
        (
            "pairs",
            {"prompt": QUESTION, "chosen": {"role": "assistant", "content": PARIS}, "rejected": says(LYON)},
            Pair(ID, (user(QUESTION),), (says(PARIS),), (says(LYON),), {}, W),
        ),
        # scored answers
        (
            "rankings",
            {"prompt": "a", "completions": ["bad", "good"], "ratings": [1, 5]},
            Ranking(ID, "a", ("good", "bad"), {"ratings": [5, 1]}, W),
        ),
        (
            "rankings",
            {
                "instruction": "a",
                "completions": [{"response": "bad", "rating": "1"}, {"response": "good", "rating": "5"}],
            },
            Ranking(ID, (user("a"),), ((says("good"),), (says("bad"),)), {"rating": ["5", "1"]}, W),
        ),
        # conversations as JSON text, in a CSV file
        (
            "demonstrations",
            {"messages": json.dumps([user("a"), says("b")])},
            Demonstration(ID, "", (user("a"), says("b")), W),
        ),
        # what templates may or may not take: they decide
        ("prompts", {"messages": [user("a"), says("b"), system("c"), user("d")]}, None),
        ("prompts", {"messages": [system("a"), {"role": "developer", "content": "b"}, user("c")]}, None),
    ],
)
def test_formats(kind, row, expected):
    made = read(row, kind)
    if expected is not None:
        assert made == expected


@pytest.mark.parametrize("key", ["weight", "train", "trainable", "loss", "trained"])
def test_messages_that_are_not_trained(key):
    row = {"messages": [user("a"), {**says("b"), key: 0}, user("c"), {**says("d"), key: True}]}
    made = read(row, "demonstrations").completion
    assert made == (user("a"), {**says("b"), "trained": False}, user("c"), says("d"))
    with pytest.raises(DataError, match=f"17: message 2 of 'messages': '{key}' is 0.5"):
        read({"messages": [user("a"), {**says("b"), key: 0.5}]}, "demonstrations")
    with pytest.raises(DataError, match="every message of the assistant in 'messages' is marked as not trained"):
        read({"messages": [user("a"), {**says("b"), key: False}]}, "demonstrations")


def test_the_last_message_alone_is_trained():
    talk = [user("a"), says("b"), user("c"), says("d")]
    made = read({"messages": talk}, "demonstrations", train_on="last").completion
    assert made == (user("a"), {**says("b"), "trained": False}, user("c"), says("d"))
    pair = read({"prompt": talk[:1], "chosen": talk[1:], "rejected": "no"}, "pairs", train_on="last")
    assert [m.get("trained", True) for m in pair.chosen] == [False, True, True]
    ranked = read({"prompt": talk[:1], "completions": [talk[1:], "no"]}, "rankings", train_on="last")
    assert [m.get("trained", True) for m in ranked.completions[0]] == [False, True, True]
    assert read({"text": "a"}, "text", train_on="last").completion == "a"


def test_what_the_template_reads_goes_to_the_arguments():
    row = {
        "prompt": "Weather in Paris?",
        "tools": [json.dumps(TOOL)],
        "documents": [{"title": "a", "text": "b"}],
        "chat_template_kwargs": '{"enable_thinking": false}',
    }
    made = read(row, "prompts")
    assert made.prompt == (ASKS,)  # only a conversation has tools
    assert made.arguments == {"tools": [TOOL], "documents": row["documents"], "enable_thinking": False}
    assert set(made.columns) == {"tools", "documents"}  # for rewards that ask for them
    assert read({"prompt": "a", "tools": [], "chat_template_kwargs": None}, "prompts").prompt == "a"
    assert read({"prompt": "a", "documents": ["b"]}, "prompts").arguments == {}


def test_nulls_that_arrow_adds_are_removed_from_conversations_only():
    call = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Paris", "x": None}}, "id": None}
    values = {
        "prompt": [{"role": "user", "content": "Hi", "name": None}],
        "completion": [{"role": "assistant", "content": None, "tool_calls": [call]}],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"x": None}}}],
        "expected": {"a": 1, "b": None},
    }
    made = read(ArrowRow(values), "demonstrations")
    assert made.completion == (CALLS,)
    assert made.arguments == {"tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}]}
    assert made.columns["expected"] == {"a": 1, "b": None}
    written = read(values, "demonstrations").completion[0]["tool_calls"][0]["function"]["arguments"]
    assert written == {"city": "Paris", "x": None}


def test_arguments_that_are_json_text_become_objects():
    def calls(arguments):
        row = {
            "messages": [
                ASKS,
                {"role": "assistant", "content": "", "tool_calls": [{"name": "f", "arguments": arguments}]},
            ]
        }
        return read(row, "demonstrations").completion[1]["tool_calls"][0]["arguments"]

    assert calls('{"city": "Paris"}') == {"city": "Paris"}
    same = ['{"city": ', "[1]", "NaN", {"a": 1}]
    assert [calls(x) for x in same] == same


def test_text_answers_that_repeat_the_prompt_lose_it():
    prompt = f"Q: {QUESTION}\nA:"
    made, notices = noted({"prompt": prompt, "chosen": f"{prompt} Paris", "rejected": f"{prompt} Lyon"}, "pairs")
    assert (made.prompt, made.chosen, made.rejected) == (prompt, " Paris", " Lyon")
    assert notices == ["the answer repeats the prompt, which is cut off"]
    asked = read({"prompt": f"{QUESTION} ", "completion": f"{QUESTION} Paris"}, "demonstrations", chat=True)
    assert asked.completion == (says("Paris"),)
    one = read({"prompt": prompt, "chosen": f"{prompt} Paris", "rejected": "Lyon"}, "pairs")
    assert one.chosen == f"{prompt} Paris"
    made, notices = noted({"prompt": "Hello", "chosen": "Hello!", "rejected": "Hello there"}, "pairs")
    assert made.chosen == "Hello!"
    assert notices == ["the answer begins with the prompt, which is short; it is kept"]


def test_what_is_read_otherwise_or_not_at_all_is_noticed():
    _, notices = noted({"question": "a", "answer": "b"}, "demonstrations")
    assert notices == ["the column 'question' is read as 'prompt'", "the column 'answer' is read as 'completion'"]
    talk = [{**user("a"), "weight": 1, "score": 2}, {**says("b"), "reasoning_content": "c", "weight": 1}]
    _, notices = noted({"messages": talk}, "demonstrations")
    assert notices == [
        "'weight' of a user message is not read: only what the assistant says is trained",
        "the key 'score' of a message is read by nothing but the chat template",
    ]
    _, notices = noted({"prompt": "a", "completions": ["b", "c"], "scores": [1, 2]}, "rankings")
    assert notices == ["the completions are sorted by 'scores', the best first"]


@pytest.mark.parametrize("parts", [[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], ["a", "b"], ["ab"]])
def test_parts_of_text_are_joined(parts):
    assert read({"prompt": [{"role": "user", "content": parts}]}, "prompts").prompt == (user("ab"),)


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        (
            "prompts",
            {"prompt": [user([{"type": "image_url"}])]},
            "part 1 of 'content' is of type 'image_url', and post",
        ),
        ("prompts", {"prompt": "<image>What?", "images": ["a.png"]}, "the column 'images' holds media"),
        ("prompts", {"prompt": [user([{"type": "thinking"}])]}, 'is of type \'thinking\'; only {"type": "text"'),
        ("prompts", {"prompt": [user(["a", 3])]}, "part 2 of 'content' must be text, not a number"),
        (
            "text",
            {"messages": [ASKS, CALLS, {"role": "tool", "content": {"t": 18}}]},
            "'content' must be text, not an object; write",
        ),
        ("prompts", {"prompt": "a", "tools": "weather"}, "'tools' must be a list of definitions"),
        ("prompts", {"prompt": "a", "tools": ["weather"]}, "tool 1 of 'tools' must be an object"),
        ("prompts", {"prompt": "a", "chat_template_kwargs": [1]}, "'chat_template_kwargs' must be an object"),
        ("prompts", {"prompt": "a", "chat_template_kwargs": {"tokenize": 1}}, "cannot set 'tokenize'"),
        (
            "demonstrations",
            {"prompt": "a", "response": "b", "answer": "c"},
            "'response' and 'answer' could be meant; say",
        ),
        (
            "demonstrations",
            {"prompt": "a", "chosen": "b", "rejected": "c"},
            "these columns are those of pairs, which pre",
        ),
        ("rankings", {"prompt": "a", "completions": ["b", "c"], "labels": [True, False]}, "steps of one answer"),
        ("rankings", {"prompt": "a", "completions": ["b", "c"], "scores": ["x", 1]}, "must hold a number for each"),
        ("rankings", {"prompt": "a", "completions": [{"x": 1}, {"x": 2}]}, "are objects without a text"),
        (
            "pairs",
            {"input": 3, "preferred_output": [], "non_preferred_output": []},
            'must be an object with "messages"',
        ),
        (
            "demonstrations",
            {"conversations": [{"from": "human", "value": "a"}, {"from": "function_call", "value": "weather()"}]},
            "message 2 of 'messages': the call must be a list of calls",
        ),
        (
            "demonstrations",
            {"messages": [user("a"), {**says("b"), "weight": 0, "train": True}]},
            "'weight' and 'train' contradict each other",
        ),
        (
            "demonstrations",
            {"messages": [user("a"), {**says("b"), "tool_calls": [{"x": 1}]}]},
            "has no name of a function",
        ),
    ],
)
def test_what_cannot_be_read_says_where_and_why(kind, row, expected):
    with pytest.raises(DataError) as caught:
        read(row, kind)
    assert str(caught.value).startswith("data.jsonl:17: ")
    assert expected in str(caught.value)


def test_empty_columns_of_media_and_markers_in_text_are_text():
    made = read({"prompt": "<image>What?", "images": [], "audio": None}, "prompts")
    assert made == Prompt(ID, "<image>What?", {}, W)


def asked(row, kind="demonstrations"):
    return [m["content"] for m in read(row, kind).prompt]


def test_blank_columns_of_alpaca_leave_no_empty_lines():
    assert asked({"instruction": QUESTION, "input": "  ", "output": PARIS}) == [QUESTION]
    assert asked({"instruction": "", "input": QUESTION, "output": PARIS}) == [QUESTION]
    assert asked({"instruction": "Answer.", "input": QUESTION, "output": PARIS}) == [f"Answer.\n\n{QUESTION}"]


@pytest.mark.parametrize("name", ["system_prompt", "system_message"])
def test_a_system_message_may_have_another_column(name):
    made, notes = noted({name: "Be brief.", "question": QUESTION, "response": PARIS}, "demonstrations")
    assert made.prompt == (system("Be brief."), user(QUESTION))
    assert f"the column {name!r} is read as 'system'" in notes
    assert made.columns == {}
    made, notes = noted({name: " ", "system": "Short.", "messages": [user("a"), says("b")]}, "demonstrations")
    assert made.completion[0] == system("Short.")
    assert notes == []


@pytest.mark.parametrize(
    "history",
    [[["1+1?", "2"]], [user("1+1?"), says("2")], '[["1+1?", "2"]]', [{"from": "human", "value": "1+1?"}, says("2")]],
)
def test_a_history_is_pairs_or_messages(history):
    assert asked({"instruction": "2+2?", "history": history, "output": "4"}) == ["1+1?", "2", "2+2?"]


def test_an_empty_history_of_a_csv_file_is_none():
    assert asked({"instruction": "2+2?", "history": "", "output": "4"}) == ["2+2?"]


def test_a_call_without_arguments_has_an_empty_object():
    call = {"type": "function", "function": {"name": "now", "arguments": ""}}
    made = read({"messages": [user("When?"), {**CALLS, "tool_calls": [call]}]}, "demonstrations")
    assert made.completion[1]["tool_calls"][0]["function"]["arguments"] == {}


def test_the_chosen_answer_may_end_the_conversation():
    row = {"messages": [user(QUESTION), says(PARIS)], "rejected_response": LYON}
    assert read(row, "pairs") == Pair(ID, (user(QUESTION),), (says(PARIS),), (says(LYON),), {}, W)


def test_answers_may_repeat_the_prompt_without_its_system_message():
    whole = [user(QUESTION), says(PARIS)], [user(QUESTION), says(LYON)]
    made = read({"prompt": [system("S"), user(QUESTION)], "chosen": whole[0], "rejected": whole[1]}, "pairs")
    assert (made.prompt, made.chosen) == ((system("S"), user(QUESTION)), (says(PARIS),))


@pytest.mark.parametrize("numbers", [{"rank": [2, 1]}, {"ranks": [2, 1]}, {"rewards": [0.1, 0.9]}, {"reward": [0, 1]}])
def test_ranks_and_rewards_sort_the_completions(numbers):
    assert read({"prompt": "a?", "completions": ["b", "c"], **numbers}, "rankings").completions == ("c", "b")


def test_an_empty_answer_among_others_is_noted():
    silent = [user("a"), says(""), user("b"), says("c")]
    noticed = noted({"messages": silent}, "demonstrations")[1], noted({"messages": silent[2:]}, "demonstrations")[1]
    assert [len(n) for n in noticed] == [1, 0]
    assert "empty" in noticed[0][0]
    thinks = {**says(""), "reasoning_content": "hm"}
    for unseen in (thinks, CALLS, {**says(""), "train": False}):
        assert noted({"messages": [user("a"), unseen, user("b"), says("c")]}, "demonstrations")[1] == []


@pytest.mark.parametrize(("kind", "name"), [("prompts", "prompt"), ("prompts", "messages"), ("text", "messages")])
def test_a_conversation_as_python_prints_it_is_refused(kind, name):
    with pytest.raises(DataError, match=f"{name!r} is a conversation as Python prints it.*json.dumps"):
        read({name: str([user("a"), says("b")])}, kind)
    assert read({"prompt": "['role', 'from']"}, "prompts").prompt == "['role', 'from']"


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("demonstrations", {"messages": [user("a"), says("b")], "prompt": None, "completion": None, "text": None}),
        ("demonstrations", {"text": "a", "messages": None, "conversations": None}),
        ("demonstrations", {"prompt": "a", "completion": "b", "messages": None, "instruction": None}),
        ("prompts", {"messages": [user("a")], "prompt": None}),
    ],
)
def test_columns_that_other_rows_use_may_be_null(kind, row):
    assert read(row, kind) == read({name: cell for name, cell in row.items() if cell is not None}, kind)
    with pytest.raises(DataError, match="null"):
        read(dict.fromkeys(row), kind)


def test_an_answer_that_is_null_is_not_taken_for_missing():
    with pytest.raises(DataError, match="'completion' must be text or a list of messages, not null"):
        read({"prompt": "a", "completion": None, "messages": None}, "demonstrations")


def test_a_system_message_stands_before_the_prompt_that_two_answers_share():
    whole = [user(QUESTION), says(PARIS)], [user(QUESTION), says(LYON)]
    row = {"system": "S", "history": [["1+1?", "2"]], "chosen": whole[0], "rejected": whole[1]}
    before = (system("S"), user("1+1?"), says("2"), user(QUESTION))
    assert read(row, "pairs") == Pair(ID, before, (says(PARIS),), (says(LYON),), {}, W)
    inside = {"system": "S", "chosen": [system("S"), *whole[0]], "rejected": [system("S"), *whole[1]]}
    assert read(inside, "pairs").prompt == (system("S"), user(QUESTION))


def test_scores_that_are_null_sort_nothing():
    row = {"prompt": "a?", "completions": ["b", "c"], "ranking": ["2", "1"], "scores": [None, None]}
    assert read(row, "rankings").completions == ("c", "b")
