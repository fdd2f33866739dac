"""Some of the random calls over the public API; `make sanitize` makes them for three minutes."""

from support import random_calls


def test_random_calls_raise_what_is_documented(global_random_seed):
    findings, made = random_calls.run(global_random_seed, range(500), seconds=20)
    assert made > 50
    if findings:
        raise findings[0]
