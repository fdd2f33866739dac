"""Fully connected networks on a CPU."""
