"""What of a communicator of mpi4py is used, and one of a single process, for which nothing is installed."""

from __future__ import annotations

from typing import Any, Protocol

from .._validation import Array


class Communicator(Protocol):
    """An `mpi4py.MPI.Intracomm`, or what has these methods of it; arrays are of bytes and contiguous."""

    def Get_rank(self) -> int:
        """The number of this process, from 0."""

    def Get_size(self) -> int:
        """The number of processes."""

    def Send(self, buf: Any, dest: int, tag: int) -> None:
        """Send an array."""

    def Recv(self, buf: Any, source: int, tag: int) -> None:
        """Wait for an array, and write it to `buf`."""

    def Sendrecv(self, sendbuf: Any, dest: int, sendtag: int, recvbuf: Any, source: int, recvtag: int) -> None:
        """Send an array, and receive one, at the same time."""

    def Bcast(self, buf: Any, root: int) -> None:
        """Write the array of the root to that of all."""

    def bcast(self, obj: Any, root: int) -> Any:
        """The object of the root, on all."""

    def allgather(self, sendobj: Any) -> list[Any]:
        """The objects of all, on all."""


METHODS = tuple(name for name in vars(Communicator) if not name.startswith("_"))


class Alone:
    """The communicator of one process."""

    def Get_rank(self) -> int:
        """0."""
        return 0

    def Get_size(self) -> int:
        """1."""
        return 1

    def Send(self, buf: Array, dest: int, tag: int) -> None:
        """There is nobody to send to."""
        raise ValueError("a single process has nobody to send to")

    def Recv(self, buf: Array, source: int, tag: int) -> None:
        """There is nobody to receive from."""
        raise ValueError("a single process has nobody to receive from")

    def Sendrecv(self, sendbuf: Array, dest: int, sendtag: int, recvbuf: Array, source: int, recvtag: int) -> None:
        """There is nobody to exchange with."""
        raise ValueError("a single process has nobody to exchange with")

    def Bcast(self, buf: Array, root: int) -> None:
        """Everybody has it."""

    def bcast(self, obj: Any, root: int = 0) -> Any:
        """The object."""
        return obj

    def allgather(self, sendobj: Any) -> list[Any]:
        """The object, alone."""
        return [sendobj]
