"""Frozen networks of integers beside their float32: python benchmarks/bench_int8.py [threads] [repeats].

Microseconds of one call of `predict`, the shortest of the repeats, by the float32 network, by `net.freeze("int8")` and,
if it is installed, by ONNX Runtime on the float32 network; sets COST in fastnn/_core/int8.pyx.
"""

import sys
from itertools import pairwise

import numpy as np
from timing import shortest

import fastnn
from fastnn import nn

RECORDS = []
NETWORKS = ((64, 128, 10), (784, 256, 128, 10), (512, 512, 512), (1024, 2048, 2048, 1000))
ROWS = (1, 32, 1000)


def network(widths):
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1], seed=0).eval()


def by_onnxruntime(net, threads):
    import onnxruntime

    import fastnn.onnx

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = fastnn.onnx.export(net).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"input": x})


def main(threads=1, repeats=200):
    fastnn.set_num_threads(threads)
    print(f"{'network, rows':34}{'float32':>10}{'int8':>10}{'':>8}{'ONNX Runtime':>14}{'error':>9}")
    for widths in NETWORKS:
        net = network(widths)
        frozen = net.freeze("int8")
        try:
            peer = by_onnxruntime(net, threads)
        except ImportError:
            peer = None
        for rows in ROWS:
            x = np.random.default_rng(0).normal(size=(rows, widths[0])).astype("float32")
            calls = [net.predict, frozen.predict, peer]
            full, small, other = (np.nan if c is None else 1e6 * shortest(lambda c=c: c(x), repeats) for c in calls)  # noqa: B023
            label = f"{'-'.join(map(str, widths))}, {rows}"
            error = frozen.report(x).relative
            print(f"{label:34}{full:10.1f}{small:10.1f}{full / small:7.2f}x{other:14.1f}{error:9.2%}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
