"""A dialogue with a customer that a language model plays, behind an endpoint with OpenAI's protocol.

Rules, tasks and reward are those of the environment `dialogue`; only what the customer says comes from the model, which
reads the conversation with the roles exchanged. An answer that does not come ends the episode without a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from posttrain.endpoint.failure import ReplyError
from posttrain.environments.bundled.dialogue import Dialogue
from posttrain.judges.asking import client
from posttrain.records import Message, Prompt
from posttrain.seeds import seed_for
from posttrain.turns import content

PERSONA = (
    "You play a customer who talks to a clerk. Say only what the customer says, in one or two sentences. Answer what "
    "you are asked and nothing else; never write the order yourself. What you want:"
)


class SimulatedUser(Dialogue):
    """Serve a customer that a language model plays.

    Settings:
        endpoint: options of the model's endpoint: the key `model`, and any other key of endpoint/endpoint.py.
        persona: instructions to the model, before the details that it wants; any text.
        patience: number of turns after which the customer leaves; at least 1.
        share: true gives the share of right details in the order, false 1 or 0.
    """

    replays: ClassVar[bool] = False

    def __init__(
        self, *, endpoint: Mapping[str, Any], persona: str = PERSONA, patience: int = 8, share: bool = False
    ) -> None:
        super().__init__(patience=patience, share=share)
        self.endpoint = endpoint
        self.persona = persona
        self.seed = 0
        self.history: list[Message] = []  # the conversation, as the customer sees it

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        messages = super().reset(prompt, seed)
        wanted = "\n".join(f"- {name}: {value}" for name, value in self.details.items())
        self.seed = seed
        self.history = [
            {"role": "system", "content": f"{self.persona}\n{wanted}"},
            {"role": "user", "content": "Good day! What can I do for you?"},
            *({"role": "assistant", "content": content(m)} for m in messages if m["role"] == "user"),
        ]
        return messages

    def reply(self, said: str) -> str:
        self.history.append({"role": "user", "content": said})
        body = {"messages": self.history, "seed": seed_for("simulated_user", self.seed, self.turns) % 2**31}
        (reply,) = client(self.endpoint, None).ask([body])
        if isinstance(reply, ReplyError):
            raise reply
        choice = reply.choices[0]
        if choice.refused:
            raise ReplyError(f"the model that plays the customer refuses: {choice.refused:.200}")
        self.history.append({"role": "assistant", "content": choice.text})
        return choice.text
