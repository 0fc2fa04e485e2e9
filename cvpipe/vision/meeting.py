"""How threads inside compiled kernels begin a step together and wait for each other, without Python.

Python's own ways wake a thread through the system, which takes 50 to 100 microseconds on a virtual machine: as long as
many a product of matrices. Here threads look for each other's news again and again, give way to other processes in
between, and only after about a millisecond without any go to sleep. For who wakes them see `team`. Import it with
numba only, which takes a while.

After the last meeting of a step a thread may be so late that what it reads belongs to the next step: read it before.

All news is in `state`, an int64 array from `opened`. Reads and changes of it have one order for all threads.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types

from cvpipe.vision.compiled import compiled

intrinsic: Any = extending.intrinsic

COUNT, GIVE_WAY, STEP, ARRIVED, NAME, BUSY = 0, 1, 8, 16, 24, 32
"""Places in `state`: how many threads; the system's function that gives way; steps begun; arrivals at meetings, ever;
the name of the work; whether the leader is about to begin a step. Those that change lie 64 bytes apart."""
SEEN, ASLEEP, OWN = 40, 48, 16
"""Of the first thread, the steps it has seen and whether it sleeps; of the next one, so many places further."""
LEADER = 0
"""The thread that begins the steps."""
PATIENCE, BREATH = 50_000, 50
"""Looks before a thread goes to sleep, and before it gives way."""


def opened(count: int) -> np.ndarray:
    """The state of so many threads, all but the leader asleep."""
    state = np.zeros(SEEN + OWN * count, np.int64)
    state[COUNT], state[GIVE_WAY] = count, _give_way_address()
    state[ASLEEP + OWN :: OWN] = 1
    return state


def _give_way_address() -> int:
    windows = sys.platform == "win32"
    function = (
        ctypes.WinDLL("kernel32").SwitchToThread if windows else ctypes.CDLL(None).sched_yield  # type: ignore[attr-defined]
    )
    return ctypes.cast(function, ctypes.c_void_p).value or 0


@compiled()
def begun(state: np.ndarray, me: int, name: int) -> bool:
    """Begin the next step, if this is the leader, or wait for it. False: the work has another name now, or this thread
    has waited long enough and counts as asleep."""
    seen = SEEN + OWN * me
    if me == LEADER:
        add(state, STEP, 1)
        return True
    looks = 0
    while True:
        step = look(state, STEP)  # before the name: a new name comes before a new step
        if look(state, NAME) != name:
            return False
        if step != state[seen]:
            state[seen] += 1
            return True
        looks += 1
        if looks % BREATH == 0:
            give_way(state[GIVE_WAY])
        if looks == PATIENCE:
            looks = 0
            swap(state, ASLEEP + OWN * me, 1)
            if not look(state, BUSY) and look(state, STEP) == step and look(state, NAME) == name:
                return False
            swap(state, ASLEEP + OWN * me, 0)


@compiled()
def meet(state: np.ndarray) -> None:
    """Wait until all threads are here."""
    count = state[COUNT]
    complete = (add(state, ARRIVED, 1) // count + 1) * count
    looks = 0
    while look(state, ARRIVED) < complete:
        looks += 1
        if looks % BREATH == 0:
            give_way(state[GIVE_WAY])


@compiled()
def sleeps(state: np.ndarray, me: int) -> bool:
    """Whether a thread counts as asleep."""
    return look(state, ASLEEP + OWN * me) != 0


@compiled()
def mark(state: np.ndarray, place: int, value: int) -> None:
    """Change a number of the state."""
    swap(state, place, value)


@intrinsic
def add(context: Any, state: Any, place: Any, value: Any) -> Any:
    """Add to a number; gives what it was."""
    return types.int64(state, types.intp, types.int64), _changed("add")


@intrinsic
def swap(context: Any, state: Any, place: Any, value: Any) -> Any:
    """Set a number; gives what it was."""
    return types.int64(state, types.intp, types.int64), _changed("xchg")


@intrinsic
def look(context: Any, state: Any, place: Any) -> Any:
    """A number as it is now."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load_atomic(_pointer(context, builder, signature, values), "seq_cst", 8)

    return types.int64(state, types.intp), generate


@intrinsic
def give_way(context: Any, address: Any) -> Any:
    """Let other threads have this core, if any want it."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), [])
        return context.get_dummy_value()

    return types.void(types.intp), generate


def _changed(how: str) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.atomic_rmw(how, _pointer(context, builder, signature, values), values[2], "seq_cst")

    return generate


def _pointer(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Where a number of the state is."""
    array = context.make_array(signature.args[0])(context, builder, values[0])
    return builder.gep(array.data, [values[1]])
