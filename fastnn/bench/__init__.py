"""Benchmarks of fastnn and other libraries: `fastnn bench`.

A *case* (cases.py) describes what is timed, as plain data; a *contender* (contenders/) implements it with one library.
Each contender runs in a process of its own (worker.py), whose number of threads is set before anything is imported. The
runner (runner.py) takes their samples in turn, so that other load on the machine affects all of them alike.
"""
