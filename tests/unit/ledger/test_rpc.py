"""JSON-RPC over HTTP: what is sent, what every client's answers mean, what failures become."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hutong.errors import NodeError, NodeUnavailable
from hutong.ledger.client import Node
from hutong.ledger.rpc import BODY_LIMIT, Rpc, revert_data

Answer = Callable[[Any], Any]


class Server:
    """A node that answers what `answer` says: an object, octets, or (status, octets)."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.sizes: list[int] = []
        self.answer: Answer = lambda request: None
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.requests.append(json.loads(body))
                server.sizes.append(len(body))
                answer = server.answer(server.requests[-1])
                if answer is None:  # hang up without a word
                    self.close_connection = True
                    return
                status, body = answer if isinstance(answer, tuple) else (200, answer)
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def result(value: object) -> Answer:
    return lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": value}


def error(**fields: object) -> Answer:
    return lambda request: {"jsonrpc": "2.0", "id": request["id"], "error": fields}


def test_result_is_returned(server: Server) -> None:
    server.answer = result("0x10")
    assert Node(server.url).block_number() == 16
    assert server.requests[0]["method"] == "eth_blockNumber"


@pytest.mark.parametrize(
    "shape",
    [
        {"data": "0xdeadbeef"},  # geth, anvil, Besu, Ganache's eth_call
        {"data": {"result": "0xdeadbeef", "hash": None, "message": "revert"}},  # Ganache otherwise
        {"data": {"0xabcd": {"error": "revert", "return": "0xdeadbeef"}}},  # Ganache 2, 6
        {"data": "Reverted 0xdeadbeef"},  # Parity's descendants
    ],
)
def test_revert_data_is_found_in_every_shape(server: Server, shape: dict[str, object]) -> None:
    server.answer = error(code=3, message="execution reverted", **shape)
    with pytest.raises(NodeError) as caught:
        Node(server.url).eth_call("0x" + "11" * 20, b"")
    assert caught.value.data == b"\xde\xad\xbe\xef"
    assert (caught.value.rpc_code, caught.value.detail) == (3, "execution reverted")


@pytest.mark.parametrize("data", [None, "", "why", {"a": 1}, ["0x00"], 5, "0xabc"])
def test_what_is_no_revert_data_is_none(data: object) -> None:
    assert not revert_data({"data": data})


def test_batch_answers_are_matched_by_id_in_any_order(server: Server) -> None:
    def answer(request: list[dict[str, Any]]) -> list[dict[str, Any]]:
        made = [{"id": r["id"], "result": r["params"][0]} for r in request]
        made[1] = {"id": request[1]["id"], "error": {"code": -1, "message": "no"}}
        return [made[i] for i in (2, 0, 1)]

    server.answer = answer
    first, second, third = Rpc(server.url).batch([("m", (i,)) for i in "abc"])
    assert (first, third) == ("a", "c")
    assert isinstance(second, NodeError)
    assert second.detail == "no"


def test_answers_that_are_missing_are_errors(server: Server) -> None:
    server.answer = lambda request: [{"id": request[0]["id"], "result": 1}]
    one, two = Rpc(server.url).batch([("m", ()), ("m", ())])
    assert one == 1
    assert isinstance(two, NodeError)


def test_array_that_is_refused_as_a_whole_is_an_error_of_each(server: Server) -> None:
    server.answer = lambda request: {"id": None, "error": {"code": -32005, "message": "too large"}}
    answers = Rpc(server.url).batch([("m", ()), ("m", ())])
    assert [a.detail for a in answers if isinstance(a, NodeError)] == ["too large"] * 2


def test_batches_are_cut_by_number_and_by_size(server: Server) -> None:
    server.answer = lambda request: [{"id": r["id"], "result": r["params"][0][:6]} for r in request]
    big = ["0x" + f"{i:04x}" + "00" * 100_000 for i in range(20)]
    answers = Rpc(server.url).batch([("m", (text,)) for text in big])
    assert answers == [f"0x{i:04x}" for i in range(20)]
    assert max(server.sizes) <= BODY_LIMIT + 100
    assert len(server.requests) == 3
    server.requests.clear()
    Rpc(server.url).batch([("m", ("0x",))] * 250)
    assert [len(r) for r in server.requests] == [100, 100, 50]
    assert Rpc(server.url).batch([]) == []


def test_node_that_is_away_is_unavailable_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{probe.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(NodeUnavailable) as caught:
        Node(url).chain_id()
    assert time.monotonic() - began < 1
    assert "secret" not in caught.value.detail


def test_node_that_hangs_is_unavailable_in_time(server: Server) -> None:
    server.answer = lambda request: (time.sleep(2), b"")[1]
    began = time.monotonic()
    with pytest.raises(NodeUnavailable, match="in time"):
        Node(server.url, timeout=0.2).chain_id()
    assert time.monotonic() - began < 1
    assert len(server.requests) == 1


def test_connection_that_breaks_once_is_tried_again(server: Server) -> None:
    answers = iter([None, {"id": 1, "result": "0x1"}])
    server.answer = lambda request: next(answers)
    assert Node(server.url).chain_id() == 1
    server.answer = lambda request: None
    with pytest.raises(NodeUnavailable):
        Node(server.url).chain_id()


@pytest.mark.parametrize("status", [500, 502, 503])
def test_server_errors_are_unavailable(server: Server, status: int) -> None:
    server.answer = lambda request: (status, b"<html>")
    with pytest.raises(NodeUnavailable, match=str(status)):
        Node(server.url).chain_id()


@pytest.mark.parametrize(
    ("status", "body"), [(404, b"no"), (401, b"{}"), (200, b"<html>"), (200, b"7")]
)
def test_what_is_no_json_rpc_is_an_error(server: Server, status: int, body: bytes) -> None:
    server.answer = lambda request: (status, body)
    with pytest.raises(NodeError):
        Node(server.url).chain_id()


@pytest.mark.parametrize("status", [400, 413, 500])
def test_json_rpc_error_counts_whatever_the_status(server: Server, status: int) -> None:
    server.answer = lambda request: (
        status,
        {"error": {"code": -32600, "message": "Invalid Request"}},
    )
    with pytest.raises(NodeError, match="Invalid Request"):
        Node(server.url).chain_id()


@pytest.mark.parametrize("value", [None, "", "abc", {}, 7])
def test_quantity_that_is_none_is_an_error(server: Server, value: object) -> None:
    server.answer = result(value)
    with pytest.raises(NodeError):
        Node(server.url).block_number()


def test_threads_keep_their_own_connections(server: Server) -> None:
    server.answer = lambda request: {"id": 1, "result": hex(len(request["params"]))}
    node = Node(server.url)
    failures: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(20):
                assert node.block_number() == 0
        except Exception as problem:
            failures.append(problem)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
