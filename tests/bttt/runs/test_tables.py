"""Tables as text and CSV: what others wrote can neither steer a terminal nor compute in a spreadsheet."""

import csv
import io
from pathlib import PurePosixPath

import numpy as np
import pytest

from bttt.runs.tables import csv_text, printable


def test_texts_of_others_are_printed_without_control_characters():
    assert printable("mcts:c=1 \u00e9 \u4e2d") == "mcts:c=1 \u00e9 \u4e2d"
    assert printable("a\x1b[31m\nb\u202ec\ud800") == "a\\x1b[31m\\nb\\u202ec\\ud800"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d"])
def test_no_text_in_a_csv_file_is_a_formula(start):
    text = f"{start}1+cmd|'/C calc'!A0"
    rows = [{"name": text, text: 1}, {"name": PurePosixPath(text), text: -1}]
    found = list(csv.reader(io.StringIO(csv_text(rows), newline="")))
    assert found == [["name", f"'{text}"], [f"'{text}", "1"], [f"'{text}", "-1"]]


def test_a_text_with_line_breaks_stays_in_its_cell():
    found = csv_text([{"a": "x\r=1+1\n=2+2\t=3", "b": 2}])
    assert found == "a,b\nx\\r=1+1\\n=2+2\\t=3,2\n"
    assert csv_text([{"a": "\r=1"}]) == "a\n\\r=1\n"


def test_numbers_in_a_csv_file_stay_as_they_are():
    values = [-0.5, -3, "-0.5", "+1e3", "-inf", True, None, "a=b", "1-0-2", np.float64(-0.25)]
    rows = [{f"c{number}": value for number, value in enumerate(values)}]
    assert csv_text(rows).splitlines()[1] == "-0.5,-3,-0.5,+1e3,-inf,True,,a=b,1-0-2,-0.25"
