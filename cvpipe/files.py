"""Where the cache is; files that are whole or absent: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path


def user_path(path: str | Path) -> Path:
    """A path as users write it, also in a spec: `~` is the home folder, a relative one starts at the current folder."""
    return Path(path).expanduser()


def write_whole(path: Path, content: bytes | str | Sequence[bytes | memoryview]) -> None:
    """Write a file, or parts of one, in one step that others can see; text as UTF-8. Raises `OSError`, and then leaves
    nothing behind."""
    text = content.encode() if isinstance(content, str) else content
    parts = [text] if isinstance(text, bytes) else text
    part = path.with_name(f".{path.name[:20]}-{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:
            file.writelines(parts)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def sha256(content: bytes | str) -> str:
    """The hash of a file's content, as hexadecimal digits."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def newest(folder: Path, *patterns: str) -> str:
    """` (the newest one in it is 'runs/a/2')`: the folder of the newest file below another; empty if there is none."""
    with contextlib.suppress(OSError):
        found = [path for pattern in patterns for path in folder.glob(pattern)]
        if found:
            return f" (the newest one in it is '{max(found, key=lambda path: path.stat().st_mtime).parent}')"
    return ""


def user_cache() -> Path:
    """`cvpipe` in the user's cache folder: `$XDG_CACHE_HOME`, or `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cvpipe"
