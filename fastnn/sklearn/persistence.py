"""Files."""


class Saved:
    pass


def load(path):
    raise NotImplementedError
