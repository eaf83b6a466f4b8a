"""A child process ends when its parent is gone, however the parent ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

_VARIABLE = "HUTONG_LEASH"


def leashed(arguments: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """Starts `hutong` with arguments, on a leash: the child's input, which ends with this process."""
    return subprocess.Popen(  # noqa: S603 - our own program, no shell
        [sys.executable, "-m", "hutong", *arguments],
        stdin=subprocess.PIPE,
        env={**environ, _VARIABLE: "1"},
        start_new_session=True,  # Ctrl-C is the parent's to hear; it stops its children in order
    )


def heed_leash() -> None:
    """In a child: asks this process to stop when the parent is gone. Elsewhere: nothing."""
    if os.environ.pop(_VARIABLE, None) is None:
        return

    def wait() -> None:
        # Not sys.stdin: its lock would be held in a server's forked workers.
        while os.read(0, 4_096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="leash", daemon=True).start()


def let_go(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Stops a child: asks, waits, and after `seconds` insists."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdin is not None:
        child.stdin.close()
