OPTION_NAMES: tuple[str, ...]

def number_of(name: str) -> int: ...

MEAN: int
LABELS: int
ACCUMULATE: int
BY_ROWS: int
CLASS_WEIGHTS: int
ROOT: int
EACH_OUTPUT: int
TRANSPOSED: int
SPARSE: int
ELEMENTS: int
