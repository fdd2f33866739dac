"""The cases of operations: what each takes, and how large its error may be."""
