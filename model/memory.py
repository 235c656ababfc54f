"""One setting of the C library that training and scoring on a CPU need."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Let this process reuse freed memory instead of handing it back to the system.

    Every step frees and asks for tensors of some MB, and fresh pages cost more than the arithmetic
    on them: a training step took 0.85 s of CPU without this and 0.23 s with it (benchmarks/README).
    Without glibc it does nothing.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        library.mallopt(M_MMAP_MAX, 0)
