"""Activations as layers, in the modules of the same names as in `functional`. They have no trainable parameters."""
