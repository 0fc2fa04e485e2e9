"""How a command ends: one line for each problem on standard error, and an exit code."""

from __future__ import annotations

import _thread
import contextlib
import errno
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import click
from cvpipe_cli.streams import ReaderGone, quiet

from cvpipe.errors import CvpipeError

FAILED = 4
"""Exit code: the run failed, for no reason of the user's."""
INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""
SOON_S = 0.05
"""After how long an interruption that could not be raised is raised again, s: the callback has ended by then."""
STOPPED = "interrupted"
KEPT = f"{STOPPED}; what was computed is kept, the same command goes on from there"
TRACEBACK = "CVPIPE_TRACEBACK"
"""Environment variable: set it to see the trace of an error."""

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EROFS: "the disk is read-only",
    errno.ENOENT: "no such file or folder",
    errno.ELOOP: "a symbolic link that leads to itself",
    errno.EMFILE: "too many open files",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EEXIST: "a file of that name is in the way",
    errno.EISDIR: "is a folder, not a file",
    errno.ENAMETOOLONG: "the name is too long",
}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it came from, and so on."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


@contextlib.contextmanager
def goes_on(cached: bool = True) -> Iterator[None]:
    """Inside, what is computed is kept in the cache, and who interrupts is told so."""
    try:
        yield
    except KeyboardInterrupt as error:
        if cached:
            error.add_note(KEPT)
        raise


def explained(command: Callable[[], Any]) -> int:
    """Run a command; say what went wrong, and give the exit code."""
    sys.unraisablehook = _not_lost
    code: Any = 0
    try:
        code = command()
        sys.stdout.flush()
        return _tell(sys.stderr.flush, code if isinstance(code, int) else 0)
    except (click.Abort, KeyboardInterrupt) as error:
        _hear_no_more()
        kept = any(KEPT in getattr(one, "__notes__", ()) for one in _chain(error))
        return _say(KEPT if kept else STOPPED, INTERRUPTED)
    except click.ClickException as error:
        return _tell(error.show, error.exit_code)
    except CvpipeError as error:
        _trace()
        return _say(str(error), error.exit_code)
    except BrokenPipeError:
        return quiet(code if isinstance(code, int) else 0)
    except SystemExit as error:  # what rich makes of a broken pipe, with the exit code 1
        if not any(isinstance(one, BrokenPipeError) for one in _chain(error)):
            raise
        return quiet(0)
    except ReaderGone:
        return quiet(0)
    except OSError as error:
        _trace()
        return _say(_reason(error), FAILED)
    except MemoryError:
        _trace()
        return _say("out of memory: fewer --jobs need less", FAILED)
    except Exception as error:
        _trace()
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return _say(f"internal error: {said}; please report it; {TRACEBACK}=1 shows the trace", FAILED)


def _not_lost(unraisable: Any) -> None:
    """Ctrl-C inside a callback, such as a weak reference's, cannot be raised there; it is raised after it."""
    if unraisable.exc_type is KeyboardInterrupt:
        _thread.start_new_thread(
            _interrupt_soon, ()
        )  # a `Timer` waits until it runs, and could come too soon
    else:
        sys.__unraisablehook__(unraisable)


def _interrupt_soon() -> None:
    time.sleep(SOON_S)
    _thread.interrupt_main()


def _hear_no_more() -> None:
    """The process ends already; another Ctrl-C would only break that off, with a trace or by the signal."""
    with contextlib.suppress(ValueError):  # not in the main thread, which alone is interrupted
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave(code: int) -> NoReturn:
    """End the process.

    A worker that is still inside a C++ library would make the system abort the process while Python cleans up after
    itself; then nothing is cleaned up.
    """
    workers = sys.modules.get("cvpipe.conductor.workers")
    if workers is not None and workers.busy():
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    gc.freeze()  # else Python looks at every object of every library once more, for 0.2 s
    sys.exit(code)


def _say(text: str, code: int) -> int:
    return _tell(lambda: click.echo(text, err=True), code)


def _tell(what: Callable[[], None], code: int) -> int:
    """Say something on standard error; the exit code counts, also if nobody can read it."""
    try:
        what()
    except OSError:
        return quiet(code)
    return code


def _trace() -> None:
    if os.environ.get(TRACEBACK):
        import traceback

        traceback.print_exc()


def _reason(error: OSError) -> str:
    said = REASONS.get(error.errno or 0, error.strerror or str(error))
    path = error.filename2 or error.filename
    return f"{os.fsdecode(path)}: {said}" if isinstance(path, str | bytes | os.PathLike) else said
