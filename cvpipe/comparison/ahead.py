"""The process in which candidates run, begun before everything else: it imports its libraries, which takes seconds,
while who gives it orders imports his own. This module imports nothing that takes time.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator

from cvpipe.comparison import worker

Server = subprocess.Popen[str]
CANDIDATES = "cvpipe.candidates:run_candidate"
"""The work of a comparison."""
LIBRARIES = ("cv2", "numba", "scipy.sparse", "pydantic", "ruamel.yaml", "joblib", "threadpoolctl",
             "safetensors.numpy", "cvpipe.conductor.conduct")  # fmt: skip
"""What nearly every run imports sooner or later."""

_waiting: dict[str, Server] = {}
"""By their work: servers that nobody has taken yet."""


@contextlib.contextmanager
def begun(work: str, libraries: Iterable[str] = LIBRARIES) -> Iterator[None]:
    """Inside, a server for this work gets ready; the first that asks for one takes it. What nobody took is ended."""
    _waiting[work] = _launched(work, libraries)
    try:
        yield
    finally:
        if unused := _waiting.pop(work, None):
            ended(unused)


def server(work: str, libraries: Iterable[str]) -> Server:
    """A server for this work that has imported these libraries before it does anything else."""
    waiting = _waiting.pop(work, None)
    if waiting is None or waiting.poll() is not None:
        return _launched(work, libraries)
    _imports(waiting, libraries)
    return waiting


def ended(server: Server, patience_s: float = 0.0) -> None:
    """End a server; one whose orders end kills its children first."""
    for pipe in (server.stdin, server.stdout):
        with contextlib.suppress(OSError):
            if pipe:
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(patience_s)
    server.kill()
    server.wait()


def order(server: Server, what: dict[str, object]) -> None:
    """Send an order. Raises `BrokenPipeError` if the server is gone."""
    assert server.stdin is not None
    server.stdin.write(json.dumps(what) + "\n")
    server.stdin.flush()


def _launched(work: str, libraries: Iterable[str]) -> Server:
    command = [sys.executable, "-m", worker.__name__, work]
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    _imports(server, libraries)
    return server


def _imports(server: Server, libraries: Iterable[str]) -> None:
    """A server that cannot fork does one task only, and imports what that needs by itself."""
    if worker.FORKS:
        with contextlib.suppress(BrokenPipeError):  # it is gone; the first task finds out
            order(server, {"import": list(libraries)})
