"""What ends a run of a program: a row of the data, or a loss, that it cannot continue with."""


class BadRow(Exception):
    """Something is wrong with a row of the data; args: its number (before shuffling: in the order given), and more."""


class BadLabel(BadRow):
    """A class index is out of range; args: its row, and its value."""


class BadTarget(BadRow):
    """A target is none that its loss takes; args: row, column, value, number of the operation."""


class BadIndex(BadRow):
    """What an embedding reads is no row of its table; args: row, column, value, number of the operation."""


class Beyond(BadRow):
    """A number is too large for the dtype of the network; args: first row of the batch, number of rows, "x" or "y"."""


class NonFinite(Exception):
    """The loss of a batch is not finite; args: the row, in the order given, at which the batch begins."""
