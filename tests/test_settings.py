"""Settings that come from the environment."""

import pytest

import fastnn
from test_processes import python

SHOW = "import fastnn; print(fastnn.get_backend(), fastnn.get_isa(), fastnn.get_num_threads())"


@pytest.mark.parametrize("isa", fastnn.available_isas())
def test_the_environment_decides(isa):
    assert python(SHOW, FASTNN_BACKEND="reference", FASTNN_ISA=isa, FASTNN_NUM_THREADS="3") == f"reference {isa} 3"
    assert python(SHOW, FASTNN_BACKEND="", FASTNN_ISA="", OMP_NUM_THREADS="2").split()[::2] == ["native", "2"]


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("FASTNN_BACKEND", "ValueError: FASTNN_BACKEND: backend must be one of 'native', 'reference', got 'wrong'"),
        (
            "FASTNN_ISA",
            f"ValueError: FASTNN_ISA: isa must be one of {', '.join(fastnn.available_isas())} on this machine, "
            "got 'wrong'",
        ),
        ("FASTNN_NUM_THREADS", "ValueError: FASTNN_NUM_THREADS must be an integer of at least 1, got 'wrong'"),
    ],
)
def test_a_wrong_environment_is_explained(variable, message):
    assert python(SHOW, **{variable: "wrong"}).endswith(message)
