"""CSV files of people: what is read, and which line is wrong in the broken ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastnn.playground import table
from fastnn.playground.refusal import Refusal
from fastnn.playground.table import Table, read_csv

ROWS = [f"{i},{i * i},{'ab'[i % 2]}" for i in range(20)]


def text(*rows, header="w,h,kind"):
    return "\n".join([header, *rows] if header else rows)


def test_a_good_file():
    found = read_csv(text(*ROWS))
    assert found.columns == ("w", "h", "kind")
    assert found.labels == ("a", "b")
    assert found.points[3] == (3.0, 9.0, 1.0)
    assert len(found.points) == 20


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_ways_to_write_the_same(separator, end, mark):
    written = mark + text("", *ROWS, "", " , , ").replace(",", separator).replace("\n", end)
    assert read_csv(written) == read_csv(text(*ROWS))


def test_without_a_header_columns_have_names():
    assert read_csv(text(*ROWS, header="")).columns == ("x0", "x1", "label")


def test_classes_that_are_numbers_are_in_their_order():
    rows = [f"{i},{i * i},{(10, 2, -1)[i % 3]}" for i in range(21)]
    found = read_csv(text(*rows))
    assert found.labels == ("-1", "2", "10")
    assert [point[2] for point in found.points[:3]] == [2.0, 1.0, 0.0]


def test_many_numbers_are_predicted():
    rows = [f"{i},{i * i},{i / 7}" for i in range(20)]
    found = read_csv(text(*rows))
    assert found.labels == ()
    assert found.points[2] == (2.0, 4.0, 2 / 7)


def test_quoted_labels_and_names_in_other_scripts():
    rows = [f'{i},{i * i},"{("사과, 빨강", "배")[i % 2]}"' for i in range(20)]
    assert read_csv(text(*rows, header="너비,높이,종류")).labels == ("배", "사과, 빨강")


@pytest.mark.parametrize(
    ("broken", "code", "values"),
    [
        ("", "csv_empty", {}),
        ("\n \n", "csv_empty", {}),
        ("a,b,c", "csv_empty", {}),
        (text(*ROWS, "1,2"), "csv_columns", {"line": 22, "found": 2}),
        (text(*ROWS, "1,2,3,4"), "csv_columns", {"line": 22, "found": 4}),
        (text(*ROWS, "1,x,a"), "csv_number", {"line": 22, "value": "'x'"}),
        (text(*ROWS, "1,nan,a"), "csv_number", {"line": 22, "value": "'nan'"}),
        (text(*ROWS, "1,inf,a"), "csv_number", {"line": 22}),
        (text(*ROWS, "1,1e300,a"), "csv_number", {"line": 22}),
        (text(*ROWS, "1,,a"), "csv_number", {"line": 22}),
        (text(*ROWS, "1,2,"), "csv_label", {"line": 22}),
        (text(*ROWS[:19]), "csv_few", {"found": 19, "limit": 20}),
        (text(*[f"{i},{i},same" for i in range(20)]), "csv_one_class", {}),
        (text(*[f"{i},{i},label{i}" for i in range(20)]), "csv_classes", {"found": 20, "limit": 8}),
        (text(*[f"5,{i},{'ab'[i % 2]}" for i in range(20)]), "csv_constant", {"column": "w"}),
        (text(*[f"{i},{i},{'ab'[i % 2]}" for i in range(2001)]), "csv_large", {"limit": 2000, "what": "rows"}),
        ("x" * (table.MAX_BYTES + 1), "csv_large", {"limit": table.MAX_BYTES, "what": "bytes"}),
        ("가" * (table.MAX_BYTES // 3 + 1), "csv_large", {"what": "bytes"}),
        ("PNG\r\n\0\0", "csv_text", {}),
        ("x\ufffd,1,2", "csv_text", {}),
        (f"1,2,{'x' * 150_000}", "csv_text", {}),  # a cell beyond the limit of the csv module
    ],
)
def test_a_broken_file_says_what_and_where(broken, code, values):
    with pytest.raises(Refusal) as refused:
        read_csv(broken)
    assert refused.value.code == code
    assert values.items() <= refused.value.values.items()


@given(st.text(alphabet='01.,;\t\n"abe-', max_size=200))
def test_any_text_is_a_table_or_refused(written):
    try:
        found = read_csv(written)
    except Refusal:
        return
    assert isinstance(found, Table)


def test_json_and_back():
    for rows in (ROWS, [f"{i},{i * i},{i / 3}" for i in range(20)]):
        found = read_csv(text(*rows))
        assert Table.from_json(found.to_json()) == found
