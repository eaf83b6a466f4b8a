"""JSON-RPC 2.0 over HTTP: single calls and arrays of them, with typed failures."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests

from hutong.errors import NodeError, NodeUnavailable

# anvil takes bodies of 2 MB, geth and Besu of 5 MB; batches are cut by octets as well as by count.
BODY_LIMIT = 1_500_000
CONNECT_TIMEOUT = 3.0

_ids = itertools.count(1)


class Rpc:
    """One node by its URL. Threads may share it: each keeps a connection of its own."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self.url = url
        self.timeout = timeout
        parts = urlsplit(url)
        # Messages name the node without the password that its URL may carry.
        self.name = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self._local = threading.local()

    def call(self, method: str, *params: object) -> Any:
        """Result of one call. Raises NodeUnavailable (no answer), NodeError (the answer is one)."""
        answer = self._post(orjson.dumps(_request(next(_ids), method, params)))
        if not isinstance(answer, dict):
            raise NodeError(f"{method}: the answer is not a JSON-RPC object")
        outcome = _outcome(answer, method)
        if isinstance(outcome, NodeError):
            raise outcome
        return outcome

    def batch(
        self, calls: Sequence[tuple[str, Sequence[object]]], *, chunk: int = 100
    ) -> list[Any | NodeError]:
        """Results in the order of `calls`, in as few JSON arrays as size allows; errors are items.

        Raises NodeUnavailable when an array gets no answer; earlier arrays have then been sent.
        """
        results: list[Any | NodeError] = []
        for bodies, methods in _arrays(calls, chunk):
            answer = self._post(b"[" + b",".join(bodies) + b"]")
            if isinstance(answer, dict):  # the array as a whole was refused
                outcome = _outcome(answer, "batch")
                if not isinstance(outcome, NodeError):
                    outcome = NodeError("an array of calls got a single answer")
                results.extend([outcome] * len(bodies))
                continue
            by_id = {item.get("id"): item for item in answer if isinstance(item, dict)}
            for number, method in enumerate(methods, start=1):
                item = by_id.get(number)
                results.append(
                    NodeError(f"{method}: no answer in the array")
                    if item is None
                    else _outcome(item, method)
                )
        return results

    def _post(self, body: bytes) -> Any:
        session = self._session()
        timeout = (min(CONNECT_TIMEOUT, self.timeout), self.timeout)
        for attempt in (1, 2):
            try:
                response = session.post(self.url, data=body, timeout=timeout)
                break
            except requests.Timeout as error:
                raise NodeUnavailable(f"{self.name} did not answer in time") from error
            except requests.ConnectionError as error:
                # A node closes idle connections; one that was closed under our feet is opened anew.
                # All our calls may be repeated: reads, and sending the very same signed octets.
                if attempt == 2 or _refused(error):
                    raise NodeUnavailable(f"{self.name} cannot be reached") from error
            except requests.RequestException as error:
                raise NodeUnavailable(f"{self.name} failed: {type(error).__name__}") from error
        try:
            answer = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            answer = None
        if response.status_code >= 500 and not _has_error(answer):
            raise NodeUnavailable(f"{self.name} answers HTTP {response.status_code}")
        if answer is None or (response.status_code >= 400 and not _has_error(answer)):
            raise NodeError(f"{self.name} answers HTTP {response.status_code}, not JSON-RPC")
        return answer

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["Content-Type"] = "application/json"
            # A node is addressed directly: no proxies or .netrc, which cost time on every call.
            session.trust_env = False
            self._local.session = session
        return session


def revert_data(error: object) -> bytes | None:
    """Revert data in a JSON-RPC error object of any client; None when there is none.

    Geth, anvil and Besu: `data` is hex. Ganache: hex for eth_call, for other methods an object
    with `result`. Older clients: "Reverted 0x..." as text, or an object keyed by transaction hash.
    """
    data = error.get("data") if isinstance(error, dict) else None
    if isinstance(data, dict):
        inner = [data, *(value for value in data.values() if isinstance(value, dict))]
        found = (item.get(key) for item in inner for key in ("result", "return", "data"))
        data = next((value for value in found if isinstance(value, str)), None)
    if not isinstance(data, str):
        return None
    try:
        return bytes.fromhex(data.removeprefix("Reverted ").removeprefix("0x"))
    except ValueError:
        return None


def _request(number: int, method: str, params: Sequence[object]) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _arrays(
    calls: Sequence[tuple[str, Sequence[object]]], chunk: int
) -> Iterator[tuple[list[bytes], list[str]]]:
    """Encoded calls and their methods, at most `chunk` calls or BODY_LIMIT octets each."""
    bodies: list[bytes] = []
    methods: list[str] = []
    size = 0
    for method, params in calls:
        body = orjson.dumps(_request(len(bodies) + 1, method, params))
        if bodies and (len(bodies) == chunk or size + len(body) > BODY_LIMIT):
            yield bodies, methods
            bodies, methods, size = [], [], 0
            body = orjson.dumps(_request(1, method, params))
        bodies.append(body)
        methods.append(method)
        size += len(body)
    if bodies:
        yield bodies, methods


def _outcome(answer: dict[str, Any], method: str) -> Any | NodeError:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        return NodeError(f"{method}: {error}")
    code = error.get("code")
    return NodeError(
        str(error.get("message") or method),
        rpc_code=code if isinstance(code, int) else None,
        data=revert_data(error),
    )


def _has_error(answer: object) -> bool:
    return isinstance(answer, list) or (isinstance(answer, dict) and "error" in answer)


def _refused(error: BaseException) -> bool:
    return "NewConnectionError" in repr(error)
