KINDS: dict[str, int]
ROLE_NAMES: tuple[str, ...]
