"""The run folder: its name, and writes that leave the old content or the new."""

import json

import pytest

from bttt.runs.folder import add_environment, default_folder, write_text


def test_folder_name_depends_on_every_setting_and_not_on_their_order():
    settings = {"seed": 0, "players": ["a", "b"]}
    name = default_folder("tournament", settings)
    assert default_folder("tournament", dict(reversed(settings.items()))) == name
    assert default_folder("tournament", {**settings, "seed": 1}) != name


def test_folder_name_is_pinned_so_that_old_runs_are_found_again():
    assert default_folder("tournament", {"seed": 0}).as_posix() == "runs/tournament-bd048884"


def test_a_write_that_fails_keeps_the_old_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "report.html"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_environment_names_what_a_result_may_depend_on_and_each_resume_adds_its_own(tmp_path):
    add_environment(tmp_path)
    add_environment(tmp_path)
    recorded, again = json.loads((tmp_path / "environment.json").read_text())
    assert recorded["packages"] == again["packages"]
    assert {"date", "command", "python", "machine", "cores", "packages"} == set(recorded)
    assert recorded["packages"]["numpy"] and recorded["packages"]["brick-tic-tac-toe"]
