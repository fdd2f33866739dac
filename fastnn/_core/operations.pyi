KINDS: dict[str, int]
ROLE_NAMES: tuple[str, ...]
MEAN: int
LABELS: int
ACCUMULATE: int
