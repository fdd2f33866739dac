"""What models of other libraries have and fastnn does not."""

from __future__ import annotations


class Unsupported(TypeError):
    """Something that one of two libraries does not have; the message says what."""


def refuse(problems: list[str]) -> None:
    """Raise TypeError if there are problems: its message has each of them once."""
    if problems:
        raise TypeError(f"fastnn does not have {', '.join(dict.fromkeys(problems))}")
