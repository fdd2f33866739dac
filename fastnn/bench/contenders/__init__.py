"""Contenders: a module each, with a function for every kind of case that it supports.

Such a function takes a case and returns a function of a number n, which completes n repetitions and returns the last
result; or None if the library does not support the case. A module is imported in a process of its own, so it imports
its library at the top; VERSION is the name and version of the library.
"""

OWN = ("native", "reference")
# The contenders of `fastnn bench --peers`, in the order of its tables; the others are compared with the first.
PEERS = (*OWN, "numpy", "jax", "torch", "sklearn", "onnxruntime")
NAMES = (*OWN, "numpy", "jax", "torch", "torch_default", "sklearn", "onnxruntime")
TITLES = {"native": "fastnn", "native_sharing": "fastnn shared", "torch_default": "torch default"}
