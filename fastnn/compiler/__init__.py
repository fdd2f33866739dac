"""How a network becomes a program: a flat list of fused operations over one workspace."""
