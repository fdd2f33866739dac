"""Settings come from a page: each field is checked, and what is accepted is written and read without a change."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastnn.playground import choices
from fastnn.playground.presets import PRESETS
from fastnn.playground.refusal import Refusal
from fastnn.playground.settings import Settings, default_choice, from_json

ROWS = [[i, i * i, "ab"[i % 2]] for i in range(30)]
OWN = {"kind": "own", "table": {"columns": ["w", "h", "kind"], "rows": ROWS}}


def test_nothing_gives_the_defaults():
    assert from_json({}) == Settings()


@pytest.mark.parametrize("given", [*PRESETS.values(), {"data": OWN}], ids=[*PRESETS, "own"])
def test_settings_survive_json(given):
    settings = from_json(given)
    assert from_json(json.loads(json.dumps(settings.to_json()))) == settings


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        (None, "wrong_type", "settings"),
        ([], "wrong_type", "settings"),
        ({"colour": 1}, "unknown_field", "settings.'colour'"),
        ({"seed": -1}, "out_of_range", "seed"),
        ({"seed": 2**32}, "out_of_range", "seed"),
        ({"seed": 10**400}, "out_of_range", "seed"),
        ({"seed": 1.5}, "wrong_type", "seed"),
        ({"seed": True}, "wrong_type", "seed"),
        ({"seed": "1"}, "wrong_type", "seed"),
        ({"l1": math.nan}, "out_of_range", "l1"),
        ({"l2": math.inf}, "out_of_range", "l2"),
        ({"batch_size": 2001}, "out_of_range", "batch_size"),
        ({"temperature": 0}, "out_of_range", "temperature"),
        ({"init": "heavy"}, "unknown_choice", "init"),
        ({"init": ["zeros"]}, "unknown_choice", "init"),
        ({"loss": "MSELoss"}, "loss_misfit", None),
        ({"loss": "BCEWithLogitsLoss", "data": {"kind": "blobs", "classes": 3}}, "loss_misfit", None),
        ({"layers": {}}, "wrong_type", "layers"),
        ({"layers": [{}] * 7}, "out_of_range", "layers"),
        ({"layers": [{"units": 0}]}, "out_of_range", "layers.0.units"),
        ({"layers": [{}, {"units": 17}]}, "out_of_range", "layers.1.units"),
        ({"layers": [{"activation": "os.system"}]}, "unknown_choice", "layers.0.activation"),
        ({"layers": [{"dropout": 1}]}, "out_of_range", "layers.0.dropout"),
        ({"layers": [3]}, "wrong_type", "layers.0"),
        ({"data": {"kind": "cats"}}, "unknown_choice", "data.kind"),
        ({"data": {"kind": "own"}}, "table_missing", None),
        ({"data": {"points": 2001}}, "out_of_range", "data.points"),
        ({"data": {"kind": "own", "table": 3}}, "wrong_type", "data.table"),
        ({"data": {"kind": "own", "table": {"columns": ["a", "b", "c"], "rows": [[1, 2]]}}}, "csv_columns", None),
        ({"optimizer": {}}, "missing_field", "optimizer.kind"),
        ({"optimizer": {"kind": "Newton"}}, "unknown_choice", "optimizer.kind"),
        ({"optimizer": {"kind": "SGD", "numbers": {"beta1": 0.9}}}, "unknown_field", "optimizer.numbers.'beta1'"),
        ({"optimizer": {"kind": "SGD", "numbers": {"lr": 0}}}, "out_of_range", "optimizer.numbers.lr"),
        ({"optimizer": {"kind": "Adam", "numbers": {"beta2": 1}}}, "out_of_range", "optimizer.numbers.beta2"),
        ({"schedule": {"kind": "StepLR", "numbers": {"step_size": 1.5}}}, "wrong_type", "schedule.numbers.step_size"),
    ],
)
def test_what_does_not_fit_is_refused(given, code, field):
    with pytest.raises(Refusal) as refused:
        from_json(given)
    assert refused.value.code == code
    assert field is None or refused.value.values["field"] == field
    assert len(str(refused.value)) < 400
    json.dumps(refused.value.to_json(), allow_nan=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=8), parts, max_size=3),
)
NAMES = st.sampled_from(sorted(Settings.__dataclass_fields__))


@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_whatever_comes_is_settings_or_refused(given):
    try:
        settings = from_json(given)
    except Refusal as refusal:
        json.dumps(refusal.to_json())
    else:
        assert from_json(settings.to_json()) == settings


def test_numbers_default_within_their_range():
    tables = [choices.DATA_NUMBERS, choices.LAYER_NUMBERS, choices.NUMBERS]
    tables += [*choices.OPTIMIZERS.values(), *choices.SCHEDULES.values()]
    for table in tables:
        for name, number in table.items():
            assert number.low <= number.default <= number.high, name
            assert number.low > 0 or number.scale == "linear", name


def test_the_catalogue_is_json_with_all_choices():
    catalogue = json.loads(json.dumps(choices.catalogue(), allow_nan=False))
    assert set(catalogue["optimizers"]["SGD"]) == {"lr", "momentum", "weight_decay"}
    assert catalogue["maxLayers"] == choices.MAX_LAYERS
    assert catalogue["data"]["blobs"] == {"task": "classification", "classes": [2, 4]}


def test_a_start_depends_on_data_and_network_alone():
    base = Settings()
    other = from_json(
        {"optimizer": {"kind": "SGD"}, "l1": 1, "batch_size": 3, "temperature": 2, "loss": "MultiMarginLoss"}
    )
    assert other.starts_like(base)
    assert not from_json({"seed": 1}).starts_like(base)
    assert not from_json({"loss": "BCEWithLogitsLoss"}).starts_like(base)  # one output instead of two
    assert default_choice("SGD", choices.OPTIMIZERS).numbers["lr"] == 0.1
