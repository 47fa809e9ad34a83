"""Files of a run: atomic writes, and JSON that is checked on reading."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bttt.command_line.failures import sentence
from bttt.runs.files import (
    json_value,
    lined_json,
    plain,
    read_bytes,
    read_json,
    read_text,
    refuse_other_file,
    write_json,
    write_text,
)
from bttt.runs.limits import as_record, checking
from pruning import reading


def test_a_write_that_fails_keeps_the_old_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "report.html"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_only_regular_files_are_replaced(tmp_path):
    """A rename would put a file in the place of a device; a link to a pipe stands for /dev/full here."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "folder").mkdir()
    for name, reason in (
        ("pipe", "not a regular file"),
        ("link", "not a regular file"),
        ("folder", "directory"),
    ):
        with pytest.raises(OSError, match=f"{name}.*{reason}|{reason}.*{name}"):
            write_text(tmp_path / name, "new")
    assert (tmp_path / "pipe").is_fifo() and (tmp_path / "link").is_symlink()
    assert len(list(tmp_path.iterdir())) == 3


def test_an_error_of_writing_names_the_file_asked_for(tmp_path):
    (tmp_path / "file").touch()
    for name in ("a/b", "file/b", "x" * 300):
        with pytest.raises(OSError) as caught:
            write_text(tmp_path / name, "new")
        text = sentence(caught.value)
        assert text.startswith(f"{tmp_path / name}: ") and ".tmp" not in text
    with pytest.raises(OSError, match=r"a/b: its folder does not exist: make it"):
        write_text(tmp_path / "a/b", "new")


def test_a_file_is_replaced_only_with_its_mark(tmp_path):
    path = tmp_path / "games.txt"
    for content in (None, "", "# mark 1\nx", "# mark\n"):
        if content is not None:
            path.write_text(content)
        refuse_other_file(path, "# mark", "is not a file of games")
    for content in ("mine", "\n# mark"):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"games\.txt is not a file of games"):
            refuse_other_file(path, "# mark", "is not a file of games")
    refuse_other_file(path, "# mark", "is not a file of games", lines=2)


def test_json_is_read_as_it_was_written_and_a_file_of_another_kind_is_named(tmp_path):
    path = tmp_path / "numbers.json"
    assert read_json(path, list) == []
    write_json(path, [1, 2])
    assert read_json(path, list) == [1, 2]
    with pytest.raises(ValueError, match=r"numbers\.json is corrupt \(expected a JSON object\): repair"):
        read_json(path, dict)
    path.write_text("[1,")
    with pytest.raises(ValueError, match=r"numbers\.json is corrupt"):
        read_json(path, list)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("depth", [101, 900, 100_000])
@pytest.mark.parametrize("read", [json_value, reading.json_value])
def test_deeply_nested_json_is_refused(read, opening, depth):
    closing = "".join({"[": "]", "{": "}"}[letter] for letter in reversed(opening) if letter in "[{")
    for text in (opening * depth, f"{opening * depth}1{closing * depth}"):
        with pytest.raises(ValueError) as error:
            read(text)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("read", [json_value, reading.json_value])
def test_json_of_allowed_depth_is_read(read):
    value = json.loads("[" * 100 + "1" + "]" * 100)
    assert read(json.dumps(value)) == value


@pytest.mark.parametrize("read", [read_bytes, reading.read_bytes])
def test_only_regular_files_of_limited_size_are_read(tmp_path, read):
    pipe, device, large = tmp_path / "pipe", tmp_path / "device", tmp_path / "large"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    with large.open("wb") as file:
        file.truncate(2**40)
    for path, message in (
        (pipe, "regular"),
        (device, "regular"),
        (tmp_path, "regular"),
        (large, "too large"),
    ):
        with pytest.raises(ValueError, match=rf"{path.name}.* is .*{message}"):
            read(path)
    (tmp_path / "small").write_bytes(b"1234")
    assert read(tmp_path / "small", most=4) == b"1234"


def test_a_config_that_is_a_device_or_a_pipe_or_no_text_is_one_line(tmp_path):
    path = tmp_path / "config.json"
    path.symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=r"config\.json is corrupt \(.*is not a regular file\): repair or"):
        read_json(path, dict)
    path.unlink()
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ValueError, match="is not a text file in UTF-8"):
        read_text(path)
    with pytest.raises(ValueError, match=r"config\.json is corrupt"):
        read_json(path, dict)


@dataclass
class Row:
    number: int
    share: float
    name: str | None = None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"number": "3", "share": 0.5}, "number must be a whole number, got '3'"),
        ({"number": 3.0, "share": 0.5}, "number must be a whole number, got 3.0"),
        ({"number": True, "share": 0.5}, "number must be a whole number, got True"),
        ({"number": 3, "share": None}, "share must be a number, got None"),
        ({"number": 3, "share": 1, "name": 5}, "name must be text or null, got 5"),
        ({"share": 0.5}, "missing"),
        ({"number": 3, "share": 0.5, "more": 1}, "the entry 'more' is missing or unknown"),
        ([3, 0.5], "expected a JSON object"),
    ],
)
def test_a_record_of_another_form_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        as_record(Row, values)
    assert as_record(Row, {"number": 3, "share": 1}) == Row(3, 1)


@pytest.mark.parametrize("take", ['{}["machine"]', "[][0]", "{}.date", "1 / 0", "int('x')"])
def test_taking_a_value_apart_is_one_line_that_names_its_file(tmp_path, take):
    message = r"rows\.json is corrupt \(.*\): delete it"
    with pytest.raises(ValueError, match=message), checking(tmp_path / "rows.json", "delete it"):
        eval(take)


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
