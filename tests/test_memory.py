"""Freed memory is kept in processes of cvpipe's own."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import numpy as np
from cvpipe.memory import keep_freed
{}
def faults():
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def use():
    np.ones(12_000_000, np.float32)  # 48 MB, then freed
use()
before = faults()
for _ in range(5):
    use()
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that gives memory back")
def test_an_array_finds_the_memory_of_the_last_one() -> None:
    kept, given_back = (
        int(subprocess.run([sys.executable, "-c", CODE.format(line)], capture_output=True, text=True).stdout)
        for line in ("keep_freed()", "")
    )
    if given_back < 100:
        pytest.skip("this system's C library keeps memory as it is")
    assert kept < given_back / 10
