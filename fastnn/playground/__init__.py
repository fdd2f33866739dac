"""A page in the browser in which small networks learn before one's eyes: `fastnn playground`.

`docs/playground.md` says what is on it. The page is served to this machine only, and the compiled core trains. Needs
Starlette, uvicorn and websockets: pip install "fastnn-core[playground]".

>>> from fastnn import playground  # doctest: +SKIP
>>> playground.serve(port=8765)  # until Ctrl-C  # doctest: +SKIP
"""

from .launch import serve

__all__ = ["serve"]


def __dir__() -> list[str]:
    return sorted(__all__)
