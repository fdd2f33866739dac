"""A course in pictures: scripts that explain networks, in the order of their numbers.

Each `cNN_name.py` is a script in cells (py:percent): prose in Markdown, code that draws with `fastnn.viz`, and at the
end a dict `numbers`, on which the tests have conditions. `fastnn course` lists and runs them.
"""

from .chapters import Chapter, chapters, find
from .running import run

__all__ = ["Chapter", "chapters", "find", "run"]


def __dir__() -> list[str]:
    return sorted(__all__)
