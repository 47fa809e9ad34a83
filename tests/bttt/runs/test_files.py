"""Files of a run: writes that leave the old content or the new, and JSON that is checked as it is read."""

from pathlib import Path

import pytest

from bttt.runs.files import plain, read_json, write_json, write_text


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
    with pytest.raises(ValueError, match=r"numbers\.json is corrupt \(no dict\): repair or delete it"):
        read_json(path, dict)
    path.write_text("[1,")
    with pytest.raises(ValueError, match=r"numbers\.json is corrupt"):
        read_json(path, list)


def test_plain_values_are_what_json_reads_back():
    assert plain({"out": Path("runs/a"), "sizes": ((1, 2), [Path("b")])}) == {
        "out": "runs/a",
        "sizes": [[1, 2], ["b"]],
    }
