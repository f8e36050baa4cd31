"""Agents that know OpenAI's chat protocol alone: each function is one, and does something of its own."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(base_url: str, key: str, messages: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """One completion."""
    body = json.dumps({"model": "any", "messages": messages, **options}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with _OPENER.open(urllib.request.Request(f"{base_url}/chat/completions", body, headers)) as reply:
        return json.load(reply)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def two_turns(task, base_url, api_key):
    """Ask twice; digits are worth something."""
    messages = [user(task["prompt"])]
    first = ask(base_url, api_key, messages, temperature=0.5)["choices"][0]["message"]
    messages += [first, {"role": "user", "content": [{"type": "text", "text": f"{len(first['content'])}!"}]}]
    second = ask(base_url, api_key, messages, temperature=0.5)["choices"][0]["message"]
    return float(sum(c.isdigit() for c in second["content"]))


solve = two_turns


async def waits(task, base_url, api_key):
    """Leave the reward to the run file."""
    ask(base_url, api_key, [user(task["prompt"])])


def calls(task, base_url, api_key):
    """Execute calls, and tell how the answers looked."""
    messages = [{"role": "developer", "content": "Add."}, user(task["prompt"])]
    seen = []
    while True:
        (choice,) = ask(base_url, api_key, messages, tools=[TOOL])["choices"]
        seen.append(choice["finish_reason"])
        messages.append(choice["message"])
        if choice["finish_reason"] != "tool_calls":
            assert seen == ["tool_calls", "length"]
            return 1
        (call,) = choice["message"]["tool_calls"]
        total = sum(json.loads(call["function"]["arguments"]).values())
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": str(total)})


def second(messages, **options):
    """An agent whose second request is made of the first answer."""

    def agent(task, base_url, api_key):
        first = ask(base_url, api_key, [user("Hi")])["choices"][0]["message"]
        try:
            ask(base_url, api_key, messages(first), **options)
        except urllib.error.HTTPError as error:  # an agent that goes on whatever it is told
            if error.code != 400:
                raise
        return 1.0

    return agent


edits = second(lambda first: [user("Hi"), {**first, "content": "I said this."}, user("Go on.")])
forgets = second(lambda first: [user("Another one")])
prefills = second(lambda first: [user("Hi"), first, user("Go on."), {"role": "assistant", "content": "I"}])
repeats = second(lambda first: [user("Hi"), first])
changes_tools = second(lambda first: [user("Hi"), first, user("Go on.")], tools=[TOOL])


def told(task, base_url, api_key):
    """Ask for what the task says, then ask properly; say what the error was."""
    try:
        ask(base_url, task.get("key", api_key), [user("Hi")], **task.get("options", {}))
    except urllib.error.HTTPError as error:
        ask(base_url, api_key, [user(f"{error.code} {json.load(error)['error']['message']}")])


def raises(task, base_url, api_key):
    ask(base_url, api_key, [user("Hi")])
    raise LookupError("no such page")


def silent(task, base_url, api_key):
    return 1.0


def words(task, base_url, api_key):
    ask(base_url, api_key, [user("Hi")])
    return "good"


def hangs(task, base_url, api_key):
    ask(base_url, api_key, [user("Hi")])
    if task["prompt"] == "hang":
        time.sleep(60)
    return 1.0
