"""Budgets: counted before spending, across processes and attempts of a run; no reply is lost when one is spent."""

import threading

import pytest

from posttrain.endpoint.budget import Account
from posttrain.endpoint.endpoint import Endpoint
from posttrain.endpoint.failure import RefusedError
from tests.endpoint.server import Server, say, status
from tests.endpoint.test_client import BODY, bodies, client, echo, text

PRICES = {"input": 2.0, "output": 10.0}  # 100 and 20 tokens a reply: 0.0004 of them


def test_the_price_of_tokens():
    account = Account(Endpoint.of({"model": "m", "prices": {"input": 0.25, "output": 2.0}}))
    account.count_tokens((1_000_000, 500_000))
    assert account.money == 1.25


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"requests": 3}, "endpoint.budget.requests=3 is spent"),
        ({"tokens": 350}, "endpoint.budget.tokens=350 is spent (360 "),
        ({"money": 0.001}, "endpoint.budget.money=0.001 is spent (0.0012 "),
    ],
)
def test_a_spent_budget_ends_the_run_and_every_reply_is_kept(tmp_path, budget, said):
    with Server(echo) as server:
        with pytest.raises(RefusedError) as error:
            client(server, tmp_path, budget=budget, prices=PRICES, concurrency=1).ask(bodies(5))
        assert said in str(error.value)
        assert "every reply is kept: raise it and continue with --resume" in str(error.value)
        assert len(server.bodies) == 3
        with pytest.raises(RefusedError):  # another attempt with the same budget
            client(server, tmp_path, budget=budget, prices=PRICES).ask(bodies(5))
        assert len(server.bodies) == 3
        assert [text(r) for r in client(server, tmp_path, budget=budget, prices=PRICES).ask(bodies(3))] == list("012")
        raised = {name: 10 * limit for name, limit in budget.items()}
        found = client(server, tmp_path, budget=raised, prices=PRICES).ask(bodies(5))
        assert [text(r) for r in found] == list("01234")
        assert len(server.bodies) == 5


def test_requests_under_way_are_finished_and_kept(tmp_path):
    with Server(echo) as server:
        with pytest.raises(RefusedError):
            client(server, tmp_path, budget={"requests": 4}, concurrency=4).ask(bodies(9))
        assert len(server.bodies) == 4
        assert len([*tmp_path.rglob("*.json")]) == 4


def test_attempts_that_fail_are_counted(tmp_path):
    with Server(status(500)) as server:
        with pytest.raises(RefusedError, match="requests=3 is spent"):
            client(server, tmp_path, budget={"requests": 3}, attempts=9).ask([BODY])
        assert len(server.bodies) == 3


def test_without_a_count_of_tokens_no_budget_of_tokens_can_be_kept():
    with Server(say("hi", usage=None)) as server:
        with pytest.raises(RefusedError, match="the server reports no `usage`"):
            client(server, budget={"tokens": 1000}).ask([BODY])
        assert text(client(server).ask([BODY])[0]) == "hi"


def test_several_processes_spend_from_one_budget(tmp_path):
    endpoint = Endpoint.of({"model": "m", "budget": {"requests": 50}})
    sent = []

    def spend():
        account = Account(endpoint, tmp_path)
        try:
            while True:
                account.count_request()
                sent.append(1)
        except RefusedError:
            pass

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == 50
    other = Account(Endpoint.of({"model": "another", "budget": {"requests": 1}}), tmp_path)
    other.count_request()  # has a file of its own


def test_a_line_that_a_power_cut_tore_counts_nothing_and_spoils_nothing(tmp_path):
    endpoint = Endpoint.of({"model": "m", "budget": {"requests": 2}})
    Account(endpoint, tmp_path).count_request()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes() + b'{"reques')
    account = Account(endpoint, tmp_path)
    account.count_request()
    with pytest.raises(RefusedError):
        Account(endpoint, tmp_path).count_request()
