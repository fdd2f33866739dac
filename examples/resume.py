"""Resume after a kill: training is cut off by SIGKILL, started again, and ends with the very bits of a run left alone.

The process that trains is this script, started with the path of a checkpoint. It cannot see SIGKILL coming, so nothing
is tidied up; but the checkpoint is replaced in one move, so there is always a whole one to go on from, with weights,
the optimizer's state, the counters of shuffling and dropout, and the place within the epoch.
"""

import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import fastnn
from fastnn import nn, optim

EPOCHS, KILLS, PATIENCE = 20, 2, 60.0


def train(checkpoint=None):
    """The SHA-256 of the weights after all epochs, from the beginning or from where the checkpoint is."""
    X, y = fastnn.data.load_digits()
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=1e-3))
    keep = {} if checkpoint is None else {"checkpoint": checkpoint, "checkpoint_every": 20, "resume": True}
    trainer.fit(X, y, epochs=EPOCHS, batch_size=16, seed=0, progress=False, **keep)
    weights = b"".join(np.ascontiguousarray(array).tobytes() for array in net.state_dict().values())
    return hashlib.sha256(weights).hexdigest()


def start(checkpoint):
    return subprocess.Popen([sys.executable, __file__, checkpoint], stdout=subprocess.PIPE, text=True)


def kill_after(process, checkpoint, writes):
    """Kill the process when it has written its checkpoint so many times; whether it was still at work then."""
    deadline, seen, last = time.monotonic() + PATIENCE, 0, written(checkpoint)
    while process.poll() is None and seen < writes and time.monotonic() < deadline:
        time.sleep(0.001)
        now = written(checkpoint)
        seen, last = seen + (now != last), now
    process.kill()
    return process.wait() < 0


def written(checkpoint):
    return checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0


def main():
    alone = train()
    print(f"left alone:   {alone}")
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, kills = Path(folder) / "run.safetensors", 0
        while kills < KILLS:
            with start(str(checkpoint)) as process:
                if not kill_after(process, checkpoint, writes=15):
                    break
            kills += 1
            print(f"kill {kills}: a checkpoint of {checkpoint.stat().st_size} bytes is left behind")
        with start(str(checkpoint)) as process:
            resumed = process.communicate(timeout=PATIENCE)[0].strip()
    print(f"killed twice: {resumed}\n" + ("the same bits" if resumed == alone else "DIFFERENT BITS"))
    return {"kills": kills, "alone": alone, "resumed": resumed}


if __name__ == "__main__":
    print(train(sys.argv[1])) if len(sys.argv) > 1 else main()
