"""The good files that tests/support/fuzz.py begins with, in fuzz/. Run it again after a change of the format."""

import os
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import fastnn
from fastnn import nn
from support import fuzz

MODELS = {
    "plain": lambda: [nn.Linear(6, 3), nn.Tanh(), nn.Dropout(0.25), nn.Linear(3, 2, bias=False, l2=0.1)],
    "norms": lambda: [nn.BatchNorm1d(2), nn.LayerNorm(2, 0.1), nn.RMSNorm(2, affine=False), nn.Hardtanh(-np.inf, 1.0)],
    "branches": lambda: [
        nn.Residual(nn.Linear(2, 2), nn.ReLU()),
        nn.Concat(nn.Sequential(), nn.Linear(2, 1)),
        nn.GELU(),
    ],
    "table": lambda: [nn.TabularInput([0, 2], {1: (3, 2)}), nn.Linear(4, 2, weight_init=nn.init.Normal(0.0, 0.1))],
    "columns": lambda: [nn.Columns(slice(0, 4, 2)), nn.Columns([1, 0]), nn.PReLU(2), nn.Temperature(), nn.Maxout(2)],
    "heads": lambda: [nn.Embedding(3, 2, 0), nn.Heads(a=nn.Linear(2, 1), b=nn.Sequential(nn.Linear(2, 2), seed=1))],
}


class Pause(fastnn.Callback):
    in_checkpoints = False

    def on_batch_end(self, run):
        if (run.epoch, run.batch) == (1, 3):
            run.stop("for now", pause=True)


def main():
    fuzz.CORPUS.mkdir(exist_ok=True)
    for name, layers in MODELS.items():
        nn.Sequential(*layers(), seed=0).save(fuzz.CORPUS / f"model-{name}")
    trainer = fuzz.rich_trainer()
    x, y, weight = fuzz.data()
    stopping = fastnn.callbacks.EarlyStopping("loss", patience=9)
    settings = {"epochs": 2, "batch_size": 16, "sample_weight": weight, "seed": 3}
    trainer.save_checkpoint(fuzz.CORPUS / "checkpoint-begin")
    trainer.fit(x, y, callbacks=[stopping, Pause()], checkpoint=fuzz.CORPUS / "checkpoint-amid", **settings)
    print({name: os.path.getsize(fuzz.CORPUS / name) for name in sorted(os.listdir(fuzz.CORPUS))})


if __name__ == "__main__":
    main()
