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


def test_a_number_of_threads_for_a_block():
    fastnn.set_num_threads(3)
    with fastnn.set_num_threads(2) as setting:
        assert fastnn.get_num_threads() == 2 and repr(setting) == "set_num_threads(2)"
        with pytest.raises(KeyError), fastnn.set_num_threads(1):
            {}["missing"]
        assert fastnn.get_num_threads() == 2
        with fastnn.set_num_threads(1):
            assert fastnn.get_num_threads() == 1
    assert fastnn.get_num_threads() == 3
    fastnn.set_num_threads(4)
    assert fastnn.get_num_threads() == 4
    with pytest.raises(ValueError, match="num_threads must be between 1 and 1024, got 0"), fastnn.set_num_threads(0):
        pass
    assert fastnn.get_num_threads() == 4
