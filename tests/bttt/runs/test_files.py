"""Files of a run: atomic writes, and JSON that is checked on reading."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bttt.runs.files import lined_json, plain, read_json, write_json, write_text


def test_a_write_that_fails_keeps_the_old_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "report.html"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_read_as_it_was_written_and_a_file_of_another_kind_is_named(tmp_path):
    path = tmp_path / "numbers.json"
    assert read_json(path, list) == []
    write_json(path, [1, 2])
    assert read_json(path, list) == [1, 2]
    with pytest.raises(ValueError, match=r"numbers\.json is corrupt \(not a dict\): repair or delete it"):
        read_json(path, dict)
    path.write_text("[1,")
    with pytest.raises(ValueError, match=r"numbers\.json is corrupt"):
        read_json(path, list)


def test_plain_values_are_what_json_reads_back():
    assert plain({"out": Path("runs/a"), "sizes": ((1, 2), [Path("b")])}) == {
        "out": "runs/a",
        "sizes": [[1, 2], ["b"]],
    }


@given(
    head=st.dictionaries(st.text(), st.integers() | st.lists(st.text()), min_size=1),
    items=st.lists(st.dictionaries(st.text(), st.integers())),
)
def test_lined_json_has_all_entries_and_an_item_a_line(head, items):
    head.pop("items", None)
    text = lined_json({"first": 1, **head}, {"items": map(json.dumps, items)})
    assert json.loads(text) == {"first": 1, **head, "items": items}
    assert text.splitlines()[-2 - len(items) : -2] == [
        f"  {json.dumps(each)}{',' * (number < len(items))}" for number, each in enumerate(items, 1)
    ]
