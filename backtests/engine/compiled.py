"""How every numeric kernel of the engine is compiled."""

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel at its first call; machine code is cached on disk and runs without the GIL.

    No fastmath and no fused multiply-add: NaN keeps its meaning, and every machine of a cluster computes the
    same bits. A kernel and the kernels it calls live in one file: numba's cache watches only that file.
    """
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)


def compiled_for_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that is never given NaN and only compares: then the processor may compare several at once.

    Its result is the same bits in whatever order it compares; sums don't belong here.
    """
    return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})(function)
