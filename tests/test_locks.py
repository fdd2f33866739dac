"""Locks at a fork, and when signals arrive."""

import contextlib
import os
import signal
import threading
import time

import numpy as np
import pytest

import fastnn
from fastnn import _locks
from test_concurrency import BOTH, fresh


@BOTH
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_locks_held_at_a_fork_are_free_in_the_child(name):
    net, x = fresh("float32"), np.ones((3, 6), "float32")
    net.predict(x)
    held, over = threading.Event(), threading.Event()

    def hold():
        with _locks.MAKING, net._calls:
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    pid = os.fork()
    if pid == 0:
        with fastnn.use_backend(name):
            net(x)
            net.predict(x)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    over.set()
    thread.join()


def test_an_interrupt_leaves_no_lock_taken():
    """Signals all the time, while a lock is taken and given back: in the end another thread can take it."""
    lock, stop = _locks.Lock(), time.monotonic() + 0.5
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    try:
        while time.monotonic() < stop:
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    with lock:
                        pass
    except KeyboardInterrupt:
        pass
    finally:
        while True:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, old)
                break
            except KeyboardInterrupt:
                continue
    taken = []
    thread = threading.Thread(target=lambda: taken.append(lock.acquire(timeout=5)))
    thread.start()
    thread.join()
    assert taken == [True]
