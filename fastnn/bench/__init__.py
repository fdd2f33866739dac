"""Benchmarks of fastnn beside other libraries: `fastnn bench`.

A *case* (cases.py) says as plain data what is timed, a *contender* (contenders/) how one library does it. Each one
runs in a process of its own (worker.py), with its threads pinned before anything is imported; the runner (runner.py)
takes their samples in turn, so that whatever else the machine does falls on all of them.
"""
