KINDS: dict[str, int]
ROLE_NAMES: tuple[str, ...]
MEAN: int
LABELS: int
ACCUMULATE: int
BY_ROWS: int
SHARED: int
