"""Random calls over the public API: any shapes, dtypes, layouts, values, options, wrong arguments, also from threads.

    PYTHONPATH=tests python -m support.random_calls [--seconds 180] [--seed N] [--only NUMBER]

Each call is drawn from (seed, its number) alone, so that `--only` makes one again. A call returns or raises one of the
documented exceptions; whatever else it does is a finding, and ends the driver with status 1. What a call does to
memory is for the sanitizers to tell (`make sanitize`).
"""

import argparse
import faulthandler
import os
import sys
import tempfile
import threading
import time
import traceback
import warnings

import numpy as np

import fastnn
from fastnn import data, metrics, nn, optim
from fastnn._core import threads as core_threads
from fastnn.testing.cases.ops import OPS
from support import random_networks as networks
from support.random_arguments import arranged, junk, options_of, shape_of

DOCUMENTED = (ValueError, TypeError, RuntimeError, MemoryError, OSError, fastnn.GradcheckError)


def operation(rng):
    """A single operation: right arguments, some of them then arranged in another way or replaced by something wrong."""
    op = rng.choice(np.array(OPS, object))
    dtype = rng.choice(["float32", "float64"])
    shape = op.shape(int(rng.choice([0, 1, 2, 3, 7, 16, 33, 64, 257])))
    if op.kind in ("elementwise", "dropout", "update") and rng.random() < 0.5:
        shape = shape_of(rng)
    options = op.options[rng.integers(len(op.options))]
    call = op.make(shape, np.dtype(dtype), rng, **options)
    args, kwargs = [arranged(rng, a) for a in call.args], {k: arranged(rng, v) for k, v in call.kwargs.items()}
    if rng.random() < 0.3:
        args[rng.integers(len(args))] = junk(rng)
    if rng.random() < 0.2:
        kwargs[str(rng.choice([*kwargs, "out", "axis", "reduction", "eps", "sample_weight"]))] = junk(rng)
    if rng.random() < 0.2 and isinstance(args[0], np.ndarray):
        kwargs["out"] = args[0] if rng.random() < 0.5 else arranged(rng, np.empty_like(args[0]))
    op.function(*args, **kwargs)


def prediction(rng):
    """A network on arrays: in training and inference mode, forward and backward, folded, summarized and printed."""
    net = networks.network(rng)
    for _ in range(rng.integers(1, 4)):
        x = networks.inputs(rng, net)
        action = rng.integers(7)
        if action == 0:
            net.predict(x)
        elif action == 1:
            net.backward(arranged(rng, np.ones_like(net(x))) if rng.random() < 0.9 else junk(rng))
        elif action == 2:
            str(net.summary(networks.FEATURES)), repr(net), str(net.compile(int(rng.integers(1, 9))))
        elif action == 3:
            net.fold().predict(x)
        elif action == 4:
            networks.set_an_attribute(rng, net.layers[rng.integers(len(net.layers))])
        elif action == 5:
            net.load_state_dict({name: arranged(rng, value) for name, value in net.state_dict().items()})
        else:
            net.train() if rng.random() < 0.5 else net.eval()


def training(rng):
    """A trainer's steps, epochs and scores, with random options."""
    trainer, x, y = networks.trainer(rng)
    for _ in range(rng.integers(1, 4)):
        action = rng.integers(8)
        weight = rng.random(len(x)).astype("float32") if rng.random() < 0.3 else None
        if action == 0:
            trainer.step(arranged(rng, x), arranged(rng, y), weight)
        elif action == 1:
            keywords = options_of(
                rng, trainer.fit, skip={"checkpoint", "resume", "sample_weight", "epochs", "progress"}
            )
            trainer.fit(arranged(rng, x), arranged(rng, y), epochs=int(rng.integers(3)), sample_weight=weight,
                        progress=False, **keywords)  # fmt: skip
        elif action == 2:
            trainer.fit(x, y, epochs=2, batch_size=5, accumulate=int(rng.integers(1, 4)), validation_split=0.2)
        elif action == 3:
            trainer.evaluate(arranged(rng, x), arranged(rng, y), sample_weight=weight)
        elif action == 4:
            trainer.loss(trainer.net(x), y)
        elif action == 5:
            networks.set_an_attribute(rng, trainer.optimizer)
        elif action == 6:
            batches = [(arranged(rng, x[i : i + 5]), arranged(rng, y[i : i + 5])) for i in range(0, len(x), 5)]
            trainer.fit(batches, prefetch=int(rng.integers(3)))
        else:
            trainer.health(x, y)


def files(rng):
    """Networks and checkpoints written and read, also where somebody has changed a few bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        trainer, x, y = networks.trainer(rng)
        trainer.fit(x, y, epochs=int(rng.integers(1, 3)), checkpoint=path)
        if rng.random() < 0.5:
            trainer.net.save(path)
        if rng.random() < 0.5:
            with open(path, "r+b") as file:
                file.seek(int(rng.integers(os.path.getsize(path))))
                file.write(rng.bytes(int(rng.integers(1, 5))))
        fastnn.load(path).predict(x) if rng.random() < 0.5 else trainer.load_checkpoint(path)
        trainer.fit(x, y, epochs=3, resume=bool(rng.random() < 0.5))


def together(rng):
    """Several threads at one network, and at networks of their own. What they raise is let out again."""
    raised = []

    def guarded(action, seed):
        try:
            action(np.random.default_rng(seed))
        except BaseException as error:
            raised.append(error)

    net, x = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 2), seed=0), rng.random((9, 3))
    optimizer = optim.Adam(net.parameters())
    trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer)
    actions = (prediction, training, lambda r: net.predict(x), lambda r: net.predict(x[: r.integers(1, 9)]),
               lambda r: trainer.step(x, x[:, :2]), lambda r: trainer.evaluate(x, x[:, :2]))  # fmt: skip
    draws = [(actions[rng.integers(len(actions))], rng.integers(2**32)) for _ in range(rng.integers(2, 6))]
    workers = [threading.Thread(target=guarded, args=draw) for draw in draws]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for error in raised:
        if not isinstance(error, DOCUMENTED):
            raise error


def others(rng):
    """Metrics, data, schedules, initialisers: called with what their signatures ask for, or with something else."""
    rooms = (metrics, data, optim.lr_scheduler, nn.init, nn.utils)
    room = rooms[rng.integers(len(rooms))]
    names = [n for n in (getattr(room, "__all__", None) or dir(room)) if n[0] != "_" and callable(getattr(room, n))]
    function = getattr(room, names[rng.integers(len(names))])
    trainer, x, y = networks.trainer(rng)
    first = {
        metrics: (y, y),
        data: (x, y),
        optim.lr_scheduler: (trainer.optimizer,),
        nn.init: (),
        nn.utils: (trainer.net,),
    }
    arguments = [arranged(rng, a) if rng.random() < 0.8 else junk(rng) for a in first.get(room, ())]
    keywords = options_of(rng, function, skip={"by", "dtype"}, skip_first=len(arguments))
    result = function(*arguments, **keywords)
    for _ in range(3):
        if isinstance(result, optim.lr_scheduler.Scheduler):
            result.step()


ACTIONS = (operation, operation, operation, prediction, prediction, training, training, files, together, others)


def one(seed, number):
    """Call `number`: the exception that nobody documents, or None."""
    rng = np.random.default_rng([seed, number])
    isas = fastnn.available_isas()
    fastnn.set_isa(isas[rng.integers(len(isas))])
    fastnn.set_num_threads(int(rng.choice([1, 2, 3, 5])))
    core_threads.set_worth(0 if rng.random() < 0.5 else 1e5)
    action = ACTIONS[rng.integers(len(ACTIONS))]
    try:
        with (
            fastnn.use_backend(str(rng.choice(["native", "native", "native", "reference"]))),
            np.errstate(all="ignore"),
        ):
            action(rng)
    except DOCUMENTED:
        return None
    except Exception as error:
        command = f"PYTHONPATH=tests python -m support.random_calls --seed {seed} --only {number}"
        error.add_note(f"{action.__name__}, {command}")
        return error
    return None


def run(seed, numbers, seconds=float("inf")):
    """The findings among these calls, as far as the time allows; and how many were made."""
    findings, deadline, made = [], time.monotonic() + seconds, 0
    before = fastnn.get_isa(), fastnn.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in numbers:
            if time.monotonic() > deadline:
                break
            error, made = one(seed, number), made + 1
            if error is not None:
                findings.append(error)
    fastnn.set_isa(before[0])
    fastnn.set_num_threads(before[1])
    core_threads.set_worth()
    return findings, made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", type=int, default=None)
    arguments = parser.parse_args()
    seed = int.from_bytes(os.urandom(3), "little") if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    faulthandler.enable()
    numbers = range(10**9) if arguments.only is None else [arguments.only]
    findings, made = run(seed, numbers, arguments.seconds)
    for error in findings:
        traceback.print_exception(error)
    print(f"{made} calls, {len(findings)} findings")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
