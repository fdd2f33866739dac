"""thinc: its operations on a CPU by the kernels of fastnn, for spaCy and other users of thinc.

`thinc.api.set_current_ops(fastnn.thinc.FastnnOps())`, or `thinc.api.get_ops("fastnn")` by the entry point. Needs thinc:
pip install "fastnn-core[thinc]".
"""

try:
    import thinc as _thinc
except ImportError as error:
    raise ImportError('fastnn.thinc needs thinc, which is not installed: pip install "fastnn-core[thinc]"') from error

from .ops import FastnnOps

del _thinc

__all__ = ["FastnnOps"]


def __dir__() -> list[str]:
    return sorted(__all__)
