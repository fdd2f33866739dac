"""The settings of a playground, from JSON and to JSON: what comes from a page is checked here, field by field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from . import choices
from .choices import CLASSIFICATION, REGRESSION, Number
from .refusal import Refusal
from .table import Table

SHOWN = 40  # characters of a wrong value in a message


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Which points there are. `table` has those of one's own, which `kind="own"` takes."""

    kind: str = "spirals"
    points: int = 400
    noise: float = 0.05
    classes: int = 2
    test_share: float = 0.3
    table: Table | None = None

    @property
    def task(self) -> str:
        """What is learned: `CLASSIFICATION` or `REGRESSION`."""
        if self.kind == "own":
            return REGRESSION if self.table is None or not self.table.labels else CLASSIFICATION
        return choices.DATA[self.kind][0] or CLASSIFICATION

    @property
    def n_classes(self) -> int:
        """Number of classes, 1 for a regression."""
        if self.kind == "own" and self.table is not None:
            return max(1, len(self.table.labels))
        _, low, high = choices.DATA[self.kind]
        return min(max(self.classes, low), high)


@dataclass(frozen=True, kw_only=True)
class LayerSettings:
    """A hidden layer: linear, then a norm, the activation and dropout."""

    units: int = 8
    activation: str = "Tanh"
    norm: str = "none"
    dropout: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An optimizer or a schedule with its numbers by name."""

    kind: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that decides how a network learns. The same settings give the same bits, after each epoch."""

    data: DataSettings = field(default_factory=DataSettings)
    layers: tuple[LayerSettings, ...] = (LayerSettings(), LayerSettings())
    init: str = "default"
    loss: str = "CrossEntropyLoss"
    optimizer: Choice = field(default_factory=lambda: default_choice("Adam", choices.OPTIMIZERS))
    schedule: Choice = field(default_factory=lambda: Choice(kind="constant"))
    batch_size: int = 16
    l1: float = 0.0
    l2: float = 0.0
    seed: int = 0
    temperature: float = 1.0  # of the softmax that is shown; training has 1

    @property
    def n_out(self) -> int:
        """Outputs of the network."""
        return 1 if self.loss == choices.ONE_OUTPUT else self.data.n_classes

    def starts_like(self, other: Settings) -> bool:
        """Whether the data and the network before training are the same with other settings."""
        same = ("data", "layers", "init", "seed", "n_out")
        return all(getattr(self, name) == getattr(other, name) for name in same)

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads."""
        written = asdict(self)
        written["data"]["table"] = None if self.data.table is None else self.data.table.to_json()
        written["layers"] = list(written["layers"])
        return written


def default_choice(kind: str, of: Mapping[str, Mapping[str, Number]]) -> Choice:
    """An optimizer or a schedule with the defaults of its numbers."""
    return Choice(kind=kind, numbers={name: number.default for name, number in of[kind].items()})


def from_json(given: Any) -> Settings:
    """The settings of a JSON object; what is missing has its default.

    Raises
    ------
    Refusal
        If a field is unknown, of the wrong type or out of range, or the loss does not go with the data.
    """
    fields = _object("settings", given, Settings)
    read: dict[str, Any] = {"data": _data(fields.get("data", {}))}
    if "layers" in fields:
        read["layers"] = _layers(fields["layers"])
    for name, among in (("init", choices.INITS), ("loss", tuple(choices.LOSSES))):
        if name in fields:
            read[name] = _one_of(name, fields[name], among)
    if "optimizer" in fields:
        read["optimizer"] = _choice("optimizer", fields["optimizer"], choices.OPTIMIZERS)
    if "schedule" in fields:
        read["schedule"] = _choice("schedule", fields["schedule"], choices.SCHEDULES)
    read |= _numbers("", fields, choices.NUMBERS)
    settings = Settings(**read)
    _check_together(settings)
    return settings


def _check_together(settings: Settings) -> None:
    fitting = choices.losses_for(settings.data.task, settings.data.n_classes)
    if settings.loss not in fitting:
        raise Refusal("loss_misfit", loss=settings.loss, choices=", ".join(fitting))


def _data(given: Any) -> DataSettings:
    fields = _object("data", given, DataSettings)
    read: dict[str, Any] = _numbers("data.", fields, choices.DATA_NUMBERS)
    if "kind" in fields:
        read["kind"] = _one_of("data.kind", fields["kind"], tuple(choices.DATA))
    if fields.get("table") is not None:
        read["table"] = Table.from_json(fields["table"])
    data = DataSettings(**read)
    if data.kind == "own" and data.table is None:
        raise Refusal("table_missing")
    return data


def _layers(given: Any) -> tuple[LayerSettings, ...]:
    if not isinstance(given, list):
        raise Refusal("wrong_type", field="layers", expected="a list", value=_shown(given))
    if len(given) > choices.MAX_LAYERS:
        raise Refusal("out_of_range", field="layers", low=0, high=choices.MAX_LAYERS, value=len(given))
    return tuple(_layer(f"layers.{i}", layer) for i, layer in enumerate(given))


def _layer(name: str, given: Any) -> LayerSettings:
    fields = _object(name, given, LayerSettings)
    read: dict[str, Any] = _numbers(f"{name}.", fields, choices.LAYER_NUMBERS)
    for part, among in (("activation", choices.ACTIVATIONS), ("norm", choices.NORMS)):
        if part in fields:
            read[part] = _one_of(f"{name}.{part}", fields[part], among)
    return LayerSettings(**read)


def _choice(name: str, given: Any, among: Mapping[str, Mapping[str, Number]]) -> Choice:
    fields = _object(name, given, Choice)
    if "kind" not in fields:
        raise Refusal("missing_field", field=f"{name}.kind")
    default = default_choice(_one_of(f"{name}.kind", fields["kind"], tuple(among)), among)
    numbers = _mapping(f"{name}.numbers", fields.get("numbers", {}), among[default.kind])
    return Choice(
        kind=default.kind, numbers={**default.numbers, **_numbers(f"{name}.numbers.", numbers, among[default.kind])}
    )


# -- one field ---------------------------------------------------------------------------------------------------------


def _object(name: str, given: Any, of: type) -> Mapping[str, Any]:
    return _mapping(name, given, of.__dataclass_fields__)  # type: ignore[attr-defined]


def _mapping(name: str, given: Any, known: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise Refusal("wrong_type", field=name, expected="an object", value=_shown(given))
    for key in given:
        if key not in known:
            raise Refusal("unknown_field", field=f"{name}.{_shown(key)}")
    return given


def _numbers(prefix: str, fields: Mapping[str, Any], of: Mapping[str, Number]) -> dict[str, Any]:
    return {name: _number(f"{prefix}{name}", fields[name], number) for name, number in of.items() if name in fields}


def _number(name: str, given: Any, of: Number) -> float:
    expected = "a whole number" if of.whole else "a number"
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Refusal("wrong_type", field=name, expected=expected, value=_shown(given))
    if not of.low <= given <= of.high:  # NaN is not either; an int of any length compares
        raise Refusal("out_of_range", field=name, low=of.low, high=of.high, value=_shown(given))
    if of.whole and not float(given).is_integer():
        raise Refusal("wrong_type", field=name, expected=expected, value=_shown(given))
    return int(given) if of.whole else float(given)


def _one_of(name: str, given: Any, among: tuple[str, ...]) -> str:
    if not isinstance(given, str) or given not in among:
        raise Refusal("unknown_choice", field=name, choices=", ".join(among), value=_shown(given))
    return given


def _shown(value: Any) -> str:
    if (isinstance(value, int) and abs(value) > 10**SHOWN) or (isinstance(value, float) and not math.isfinite(value)):
        return "a number without end" if isinstance(value, float) else "a very long number"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
