"""Modules that are composed as in PyTorch: their `forward` is run once with symbols, and becomes a graph."""
