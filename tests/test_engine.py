"""The programs of a trainer use what is loaded into its network and its optimizer."""

import os

from support.resumable import bits, make_trainer
from test_checkpoint import fit


def test_loading_reaches_the_programs_that_are_there(path):
    """Networks, optimizers and counters are changed in place; another seed makes programs anew."""
    whole = make_trainer()
    fit(whole, epochs=2)
    whole.save_checkpoint(path)
    other = make_trainer(seed=3)
    fit(other, epochs=1)
    other.load_checkpoint(path)
    for trainer in (whole, other):
        fit(trainer, epochs=2)
    assert bits(other) == bits(whole)
    assert os.listdir(path.parent) == [path.name]
