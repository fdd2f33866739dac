"""Ranks that are threads of this process, with what `fastnn.distributed` uses of a communicator of mpi4py."""

import copy
import queue
import threading

import numpy as np

SECONDS = 20  # after which a rank that waits for another one gives up


class ThreadComm:
    """The communicator of one thread among several."""

    def __init__(self, rank, mail, barrier, board):
        self.rank, self.mail, self.barrier, self.board = rank, mail, barrier, board
        self.sent = self.broadcasts = 0  # bytes, and messages of one rank to all

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return len(self.board)

    def Send(self, buf, dest, tag):
        assert buf.dtype == "uint8" and buf.flags.c_contiguous
        self.sent += buf.nbytes
        self.mail[self.rank][dest].put((tag, buf.copy()))

    def Recv(self, buf, source, tag):
        sent, array = self.mail[source][self.rank].get(timeout=SECONDS)
        assert sent == tag and array.nbytes == buf.nbytes
        buf[...] = array

    def Sendrecv(self, sendbuf, dest, sendtag, recvbuf, source, recvtag):
        assert not np.shares_memory(sendbuf, recvbuf)
        self.Send(sendbuf, dest, sendtag)
        self.Recv(recvbuf, source, recvtag)

    def allgather(self, sendobj):
        self.board[self.rank] = copy.deepcopy(sendobj)
        self.barrier.wait(SECONDS)
        items = copy.deepcopy(list(self.board))
        self.barrier.wait(SECONDS)
        return items

    def bcast(self, obj, root=0):
        self.broadcasts += 1
        return self.allgather(obj)[root]

    def Bcast(self, buf, root=0):
        buf[...] = self.allgather(buf)[root]


def run_ranks(size, function):
    """What `function(comm)` returned or raised on each of so many ranks."""
    mail = [[queue.Queue() for _ in range(size)] for _ in range(size)]
    barrier, board, results = threading.Barrier(size), [None] * size, [None] * size

    def run(rank):
        try:
            results[rank] = function(ThreadComm(rank, mail, barrier, board))
        except BaseException as error:
            results[rank] = error

    threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * SECONDS)
        assert not thread.is_alive(), "a rank hangs"
    return results


def of_ranks(size, function):
    """What `function(comm)` returned on each rank; an error in one is raised."""
    results = run_ranks(size, function)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
