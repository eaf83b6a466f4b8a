"""What is sent, how much at once, and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from hutong.errors import NodeError
from hutong.ledger.keystore import LIGHT_WORK, Keystore
from tests.integration.sending import ETHER, Post, Watched


def test_nonces_are_given_with_the_row_and_follow_the_chains(
    database: Engine, still_node: Watched, tmp_path: Path
) -> None:
    key = Keystore(tmp_path / "keys", "test", work=LIGHT_WORK)
    account = key.ensure("sender")
    still_node.call("anvil_setBalance", account, hex(ETHER))
    still_node.call("anvil_setNonce", account, hex(7))

    post = Post(database, still_node, tmp_path)
    post.queue(3)

    assert [row.nonce for row in post.rows()] == [7, 8, 9]


def test_what_was_sent_is_followed_until_it_is_final(post: Post) -> None:
    post.node.lag = 1
    post.queue(2)
    assert post.sender.step()
    assert post.states() == ["queued", "queued"]

    post.node.mine()
    post.settle()
    assert post.states() == ["mined", "mined"]
    post.node.mine()
    post.settle()

    assert post.states() == ["final", "final"]
    assert len(post.signed()) == 2
    assert not post.sender.step()


def test_the_window_is_bounded_by_count(
    database: Engine, still_node: Watched, tmp_path: Path
) -> None:
    post = Post(database, still_node, tmp_path, count=4)
    post.queue(10)

    post.settle()
    assert [len(raws) for raws in still_node.sent] == [4]
    still_node.mine()
    post.settle()
    still_node.mine()
    post.settle()

    assert [len(raws) for raws in still_node.sent] == [4, 4, 2]


def test_the_window_is_bounded_by_gas_but_never_empty(
    database: Engine, still_node: Watched, tmp_path: Path
) -> None:
    limit = still_node.block("latest").gas_limit  # type: ignore[union-attr]
    post = Post(database, still_node, tmp_path, blocks=1.0)
    post.queue(5, gas=limit * 2 // 5)
    post.settle()
    assert [len(raws) for raws in still_node.sent] == [2]

    impatient = Post(database, still_node, tmp_path, blocks=0.1)
    for _ in range(4):
        still_node.mine()
        impatient.settle()

    assert [len(raws) for raws in still_node.sent] == [2, 1, 1, 1]
    assert post.states() == ["final"] * 5


def test_the_very_same_bytes_are_sent_again(post: Post) -> None:
    post.queue(3)
    for _ in range(4):
        post.sender.step()

    assert len(post.node.sent) == 4
    assert len({tuple(raws) for raws in post.node.sent}) == 1
    assert len(post.signed()) == 3
    assert post.rows()[0].why is None  # known already is success


def test_it_waits_before_it_sends_again(
    database: Engine, still_node: Watched, tmp_path: Path
) -> None:
    post = Post(database, still_node, tmp_path, resend=60.0)
    post.queue()

    for _ in range(5):
        post.sender.step()

    assert len(still_node.sent) == 1


def test_a_node_that_lost_its_pool_gets_all_again(post: Post) -> None:
    post.queue(3)
    post.sender.step()
    post.node.call("anvil_dropAllTransactions")

    post.sender.step()
    post.node.mine()
    post.settle()

    assert post.states() == ["final"] * 3
    assert len(post.signed()) == 3


def test_bytes_signed_but_never_sent_are_sent_by_the_next_worker(
    database: Engine, still_node: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Post(database, still_node, tmp_path)
    post.queue(2)

    def fail(raws: Any) -> list[str | NodeError]:
        raise ConnectionResetError  # the process dies between signing and sending

    with monkeypatch.context() as patch:
        patch.setattr(still_node, "send_raw", fail)
        with pytest.raises(ConnectionResetError):
            post.sender.step()
    before = [bytes(row.raw) for row in post.signed()]
    again = Post(database, still_node, tmp_path)
    again.sender.step()

    assert len(before) == 2
    assert still_node.sent == [before]
