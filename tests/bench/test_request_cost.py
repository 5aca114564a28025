"""What a request costs the server, in its own CPU time, against a bare aiohttp application.

Other programs on the machine change requests per second at once, CPU time by little. The servers
run at the same time and are asked in turns, so that what is left of it changes both. Numbers go to
``tests/bench/results/request_cost.json`` and to the terminal.
"""

import json
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.bench.load import request, run
from tests.bench.servers import Server, bare, emulator

RESULTS = Path(__file__).parent / "results"
REVIEW = json.dumps({"movie": "Gravity", "stars": 5, "comment": "c" * 200}).encode()
CONNECTIONS, COUNT, TURNS = 32, 2_000, 11
GET_BAR = 0.55
SLACK = 0.8
CREATE_FENCE = 0.3
"""What a create has reached and must not fall behind; the bar is that of a get."""

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="CPU times are Linux's"),
]
FIGURES: dict[str, Any] = {}


@pytest.fixture(scope="module", autouse=True)
def kept() -> Iterator[None]:
    yield
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "request_cost.json").write_text(json.dumps(FIGURES, indent=2) + "\n")
    print("\n" + json.dumps(FIGURES, indent=2))


def questions(server: Server) -> dict[str, list[bytes]]:
    known = server.created("Plain", REVIEW, 50)
    create = request("POST", "/1.1/classes/Plain", server.headers, REVIEW)
    paths = [f"/1.1/classes/Plain/{known[n % 50]}" for n in range(COUNT)]
    return {
        "create": [create] * COUNT,
        "get": [request("GET", path, server.headers) for path in paths],
    }


def cost(server: Server, requests: list[bytes]) -> float:
    """Microseconds of CPU time per request."""
    began = server.cpu_seconds()
    uvloop.run(run(server.port, requests, CONNECTIONS))
    return (server.cpu_seconds() - began) / len(requests) * 1e6


def test_create_and_get_cost_at_most_so_much_of_a_bare_application(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("memory", "tinydb")}
    with ExitStack() as started:
        servers = {"bare": started.enter_context(bare("app"))}
        for storage, folder in folders.items():
            folder.mkdir()
            running = emulator(folder, "--no-code", "--storage", storage)
            servers[storage] = started.enter_context(running)
        asked = {name: questions(server) for name, server in servers.items()}
        took: dict[tuple[str, str], list[float]] = {}
        for turn in range(TURNS):
            for word in ("create", "get"):
                for name, server in servers.items():
                    once = cost(server, asked[name][word])
                    if turn:  # the first warms up
                        took.setdefault((word, name), []).append(once)
    usual = {key: statistics.median(costs) for key, costs in took.items()}
    ratios = {key: usual[key[0], "bare"] / usual[key] for key in usual}
    for (word, name), microseconds in usual.items():
        FIGURES[f"{word}, {name}"] = {
            "server's CPU, us": round(microseconds, 1),
            "bare aiohttp application's, of it": round(ratios[word, name], 3),
        }
    assert ratios["get", "memory"] >= GET_BAR * SLACK
    assert ratios["create", "memory"] >= CREATE_FENCE
