"""Contenders: a module each, with a function for every kind of case that it knows.

Such a function takes a case and returns what does so many repetitions to completion and returns the last result; None
if the library has no such thing. A module is imported in a process of its own, so its library is imported at its head;
VERSION says which one that is.
"""

OWN = ("native", "reference")
# Those of `fastnn bench --peers`, in the order of its tables; the first is what the others are compared with.
PEERS = (*OWN, "numpy", "jax", "torch", "sklearn", "onnxruntime")
NAMES = (*OWN, "numpy", "jax", "torch", "torch_default", "sklearn", "onnxruntime")
TITLES = {"native": "fastnn", "native_sharing": "fastnn shared", "torch_default": "torch default"}
