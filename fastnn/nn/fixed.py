"""Attributes that cannot be changed once they are set, because compiled programs rely on them."""

from __future__ import annotations

from typing import Any, ClassVar

from .._frames import ShortErrors


class Fixed(ShortErrors):
    """Base of classes with attributes that cannot be set again, because memory was laid out by them.

    Their names are in `fixed`; what a class declares as ClassVar cannot be set on an object at all. `way_out` is the
    advice at the end of the error message.
    """

    _internal: ClassVar[tuple[str, ...]] = ("fixed", "way_out")
    fixed: ClassVar[tuple[str, ...]] = ()
    way_out: ClassVar[str] = "make a new one"
    _of_class: ClassVar[frozenset[str]] = frozenset(("fixed", "way_out"))
    _guarded: ClassVar[frozenset[str]] = _of_class  # names that are looked at before they are set

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = (name for name, kind in getattr(cls, "__annotations__", {}).items() if str(kind).startswith("ClassVar"))
        cls._of_class = cls._of_class.union(own)
        cls._guarded = cls._of_class.union(cls.fixed)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._guarded:
            if name in self._of_class:
                raise AttributeError(f"{type(self).__name__}.{name} belongs to the class: {self.way_out}")
            self._refuse(name, value)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.fixed:
            self._refuse(name, self)  # a value that the attribute cannot have, so that it is refused if set
        super().__delattr__(name)

    def _refuse(self, name: str, value: Any) -> None:
        """Raise AttributeError if the attribute is set, unless to that very object: `params.data += 1` is allowed."""
        missing = object()
        now = getattr(self, name, missing)
        if now is not missing and now is not value:
            raise AttributeError(f"{type(self).__name__}.{name} cannot be changed: {self.way_out}")
