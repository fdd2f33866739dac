"""Ranks that meet: what one of them has to say is known to all."""

import numpy as np
import pytest

import fastnn.distributed
from fastnn._core.errors import NonFinite
from fastnn.distributed import Alone, RankError, Team
from fastnn.distributed.team import Ended
from support.ranks import of_ranks, run_ranks


def add(numbers, later):
    numbers += later


def test_blocks_are_a_power_of_two_and_at_least_the_ranks():
    with pytest.raises(ValueError, match=r"blocks must be a power of two \(1, 2, 4, 8, ...\), got 6"):
        Team(None, 6)
    with pytest.raises(TypeError, match="blocks must be an integer"):
        Team(None, 2.0)
    for error in run_ranks(3, lambda comm: Team(comm, 2)):
        assert "blocks must be at least the number of ranks, 3" in str(error) and "blocks=4" in str(error)
    assert Team().blocks == 8 and repr(Team()) == "Team(rank 0 of 1, 8 blocks)"


def test_comm_must_be_a_communicator():
    with pytest.raises(TypeError, match=r"comm must be a communicator of mpi4py, such as MPI\.COMM_WORLD, got int"):
        Team(4)


def test_a_process_alone_is_a_communicator():
    comm = Alone()
    assert (comm.Get_rank(), comm.Get_size(), comm.allgather(3), comm.bcast(4)) == (0, 1, [3], 4)
    comm.Bcast(np.zeros(1, "uint8"), root=0)
    with pytest.raises(ValueError, match="nobody"):
        comm.Send(np.zeros(1, "uint8"), 1, 0)


def test_rows_of_blocks():
    team = Team(None, 8)
    assert [team.block_rows(n) for n in (1, 7, 8, 9, 64, 65)] == [1, 1, 1, 2, 8, 9]


def test_names_of_the_room():
    assert dir(fastnn.distributed) == ["Alone", "RankError", "Team"]


# -- before a run ------------------------------------------------------------------------------------------------------


def test_an_error_before_the_run_is_raised_on_all_ranks():
    def run(comm):
        team = Team(comm)
        with team.starting():
            if comm.Get_rank() == 1:
                raise ValueError("x has 3 columns")
            team.exchange("all is well")

    first, second, third = run_ranks(3, run)
    assert type(second) is ValueError and str(second) == "x has 3 columns"
    for error in (first, third):
        assert type(error) is RankError and str(error) == "rank 1 of 3 raised ValueError: x has 3 columns"


def test_facts_that_differ_are_named_on_all_ranks():
    def run(comm):
        rows = 10 + (comm.Get_rank() == 2)
        Team(comm).compare({"loss": ("MSELoss()", "MSELoss()"), "x": (f"shape ({rows}, 4)", str(rows))})

    for error in run_ranks(3, run):
        assert str(error) == (
            "ranks must have the same x: rank 2 has shape (11, 4), rank 0 has shape (10, 4): each rank is given all "
            "samples, and trains its blocks of every batch"
        )


def test_facts_that_differ_in_their_values_alone():
    def run(comm):
        Team(comm).compare({"initial weights": ("12 parameters", str(comm.Get_rank()))})

    for error in run_ranks(2, run):
        assert "rank 1 has other values than rank 0 (12 parameters): give the network a seed" in str(error)


# -- meetings ----------------------------------------------------------------------------------------------------------


def meeting(compute, *, tell=None, leave=None):
    """A function that meets once; `leave(rank)` returns None or the arguments of `leave`."""

    def run(comm):
        team = Team(comm)
        heard = []
        team.begin(1, np.zeros(2))
        team.tell, team.hear = tell or team.tell, heard.append
        arguments = None if leave is None else leave(comm.Get_rank())
        try:
            if arguments is not None:
                return team.leave(*arguments)
            return [None if total is None else total[0].tolist() for total in [team.meet(compute(comm), add)]], heard
        except BaseException as error:
            return error, team.over

    return run


def counting(comm):
    def compute(block, numbers):
        numbers[0] = block

    return compute


def test_a_meeting_adds_up():
    assert of_ranks(4, meeting(counting)) == [([[28.0]], [])] * 4


def failing(error):
    def of(comm):
        def compute(block, numbers):
            if block == 5:
                raise error

        return compute

    return of


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_an_error_in_a_block_ends_the_run_on_all_ranks(size):
    where = (6 * size - 1) // 8
    for rank, (error, over) in enumerate(of_ranks(size, meeting(failing(MemoryError("no more"))))):
        assert over == "failed"
        if rank == where:
            assert type(error) is MemoryError
        else:
            assert str(error) == f"rank {where} of {size} raised MemoryError: no more"


def test_a_loss_that_is_not_finite_is_told_with_its_first_row():
    def of(comm):
        def compute(block, numbers):
            if block in (3, 6):
                raise NonFinite(10 * (8 - block))

        return compute

    for size in (1, 2, 4):
        for error, over in of_ranks(size, meeting(of)):
            assert type(error) is NonFinite and over == ""
            assert error.args == ((50,) if size == 1 else (20,))  # one rank stops at its first


def test_ctrl_c_on_one_rank_is_raised_on_all():
    def run(comm):
        team = Team(comm)
        team.begin(0, np.zeros(1))
        team.interrupted = comm.Get_rank() == 1
        with pytest.raises(KeyboardInterrupt):
            team.meet(lambda block, numbers: None, add)
        return team.over

    assert of_ranks(3, run) == ["failed"] * 3


def test_what_rank_0_tells_is_heard_by_all_before_anything_is_added():
    run = meeting(counting, tell=lambda: {"state": 3})
    assert of_ranks(3, run) == [([None], [{"state": 3}])] * 3


def test_rank_0_ends_the_run_while_others_meet():
    run = meeting(counting, leave=lambda rank: (None, {"closing": True, "n": 1}) if rank == 0 else None)
    for error, over in of_ranks(3, run):
        assert type(error) is Ended and error.message == {"closing": True, "n": 1} and over == "closed"


def test_a_rank_that_leaves_with_an_error_ends_the_run():
    run = meeting(counting, leave=lambda rank: (KeyError("y"), None) if rank == 2 else None)
    first, second, third = of_ranks(3, run)
    assert third is None  # it raises its error anyway
    assert str(first[0]) == str(second[0]) == "rank 2 of 3 raised KeyError: 'y'"


def test_ranks_at_different_places_are_told():
    run = meeting(counting, leave=lambda rank: (None, None) if rank == 2 else None)
    for error, _ in of_ranks(3, run):
        assert "ranks are at different places of the run" in str(error)
