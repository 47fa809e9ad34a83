"""The run folder: its name, who may open it, and what is written into it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bttt.runs import make_folder, open_run, report_found
from bttt.runs.folder import default_folder

SETTINGS = {"seed": 0, "search": {"simulations": 8}}
HOLDING = """
import sys
from pathlib import Path
from bttt.runs import open_run
with open_run("train", {"seed": 0}, out=Path(sys.argv[1])) as run:
    run.write_config({"seed": 0})
    print("open", flush=True)
    sys.stdin.read()
"""


def begin(folder, settings=SETTINGS):
    with open_run("train", settings, out=folder) as run:
        run.write_config({**settings, "minutes": 5, "out": str(folder)})


def refusal(folder, settings=SETTINGS, **options):
    with pytest.raises(ValueError) as refused, open_run("train", settings, out=folder, **options):
        pass
    return str(refused.value)


@pytest.mark.parametrize(
    ("found", "made", "line"),
    [
        (0, 3, ""),
        (1, 0, "1 finished game found in runs/x; nothing was run\n"),
        (2, 1, "2 finished games found in runs/x; 1 more was made\n"),
        (5, 2, "5 finished games found in runs/x; 2 more were made\n"),
    ],
)
def test_what_comes_from_disk_is_said(found, made, line, capsys):
    report_found(found, made, "finished game", Path("runs/x"))
    assert capsys.readouterr() == ("", line)


def test_folder_name_depends_on_every_setting_and_not_on_their_order():
    settings = {"seed": 0, "players": ["a", "b"]}
    name = default_folder("tournament", settings)
    assert default_folder("tournament", dict(reversed(settings.items()))) == name
    assert default_folder("tournament", {**settings, "seed": 1}) != name


def test_folder_name_is_pinned_so_that_old_runs_are_found_again():
    assert default_folder("tournament", {"seed": 0}).as_posix() == "runs/tournament-bd048884"


def test_the_default_folder_is_made_and_found_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_run("train", SETTINGS) as run:
        assert run.path == default_folder("train", SETTINGS)
        assert run.config() == {}
        run.write_config(SETTINGS)
    with open_run("train", SETTINGS) as again:
        assert again.path == run.path and again.config() == SETTINGS


def test_environment_names_what_a_result_may_depend_on_and_each_resume_adds_its_own(tmp_path):
    with open_run("train", SETTINGS, out=tmp_path) as run:
        run.add_environment()
        run.write_config(SETTINGS)
    with open_run("train", SETTINGS, out=tmp_path) as run:
        run.add_environment(device="cpu")
    recorded, again = json.loads((tmp_path / "environment.json").read_text())
    assert recorded["packages"] == again["packages"]
    assert {"date", "command", "python", "machine", "cores", "packages"} == set(recorded)
    assert set(again) - set(recorded) == {"device"}
    assert recorded["packages"]["numpy"] and recorded["packages"]["brick-tic-tac-toe"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({**SETTINGS, "seed": 1}, "other settings: seed is 0 there, 1 here; choose another --out"),
        ({**SETTINGS, "search": {"simulations": 9}}, "search is {'simulations': 8} there"),
        ({**SETTINGS, "plies": 3}, "plies is None there, 3 here"),
    ],
)
def test_a_run_with_other_settings_is_refused_and_kept(settings, message, tmp_path):
    begin(tmp_path)
    before = (tmp_path / "config.json").read_bytes()
    assert message in refusal(tmp_path, settings)
    assert (tmp_path / "config.json").read_bytes() == before


def test_a_setting_that_came_later_had_its_default(tmp_path):
    begin(tmp_path)
    later = {"seed": 0, "search": {"simulations": 8, "leaves": 1}, "plies": 8}
    defaults = {"seed": 7, "search": {"simulations": 1, "leaves": 1}, "plies": 8}
    with open_run("train", later, out=tmp_path, defaults=defaults):
        pass
    changed = {**later, "search": {"simulations": 8, "leaves": 2}}
    assert "search is" in refusal(tmp_path, changed, defaults=defaults)


@pytest.mark.parametrize(
    "files",
    [
        {"thesis.txt": "a year's work"},
        {"config.json": '{"hidden_size": 768}', "model.bin": ""},
        {"config.json": '{"hidden_size": 768}'},
    ],
)
def test_a_folder_with_files_of_others_is_refused_and_nothing_is_written(files, tmp_path):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    message = refusal(tmp_path, defaults=SETTINGS)
    assert message.startswith(f"out must be a new folder or the folder of a run, but {tmp_path} holds ")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files


def test_a_run_may_be_known_by_another_file(tmp_path):
    (tmp_path / "config.json").write_text('{"seed": 0}')
    options = {"out": tmp_path, "known_by": "games.sqlite"}
    with pytest.raises(ValueError, match="holds other files"), open_run("tournament", SETTINGS, **options):
        pass
    (tmp_path / "games.sqlite").touch()
    with open_run("tournament", {**SETTINGS, "seed": 1}, **options):  # it compares the settings itself
        pass


def test_a_lock_that_is_a_link_or_a_pipe_is_refused_and_what_it_points_to_is_kept(tmp_path):
    victim, run = tmp_path / "victim.txt", tmp_path / "run"
    victim.write_text("kept")
    begin(run)
    lock = run / ".lock"
    for make in (lambda: lock.symlink_to(victim), lambda: os.mkfifo(lock), lock.mkdir):
        lock.unlink()
        make()
        assert refusal(run).startswith(f"{lock} is not a regular file: delete it")
    assert victim.read_text() == "kept"


def test_an_empty_folder_and_hidden_files_are_no_obstacle(tmp_path):
    (tmp_path / ".DS_Store").touch()
    begin(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert refusal(file) == f"out must be a folder, but {file} is a file"
    with pytest.raises(ValueError, match="must be a folder, but it is a file"):
        make_folder(file)
    make_folder(tmp_path / "results" / "all")
    make_folder(tmp_path / "results")
    assert (tmp_path / "results" / "all").is_dir()


@pytest.mark.parametrize("text", ["{", "[]", "1"])
def test_a_corrupt_config_is_named(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    assert f"{tmp_path / 'config.json'} is corrupt" in refusal(tmp_path)


def test_two_processes_do_not_work_in_one_folder(tmp_path):
    pytest.importorskip("fcntl")
    folder = tmp_path / "run"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "open\n"
    message = refusal(folder, {"seed": 0})
    assert message == f"another process is using {folder}: wait, or choose another --out"
    other.communicate("", timeout=60)
    with open_run("train", {"seed": 0}, out=folder):
        pass


def test_a_run_of_another_command_is_refused_and_stays_as_it_was(tmp_path):
    other = {"players": ["random"], "bricks": ["D4"], "seed": 0, "schedule": "round-robin"}
    mine = {"bricks": ["D4"], "seed": 0, "preset": "small", "plies": 8, "buffer": 10}
    with open_run("tournament", other, out=tmp_path) as run:
        run.write_config(other)
    before = (tmp_path / "config.json").read_bytes()
    with (
        pytest.raises(ValueError, match="holds a run of another command"),
        open_run("train", mine, out=tmp_path),
    ):
        pass
    assert (tmp_path / "config.json").read_bytes() == before
    older = {
        name: value for name, value in mine.items() if name != "buffer"
    }  # made before the setting existed
    with open_run("train", older, out=tmp_path / "train") as run:
        run.write_config(older)
    with open_run("train", mine, out=tmp_path / "train", defaults={"buffer": 10}) as run:
        assert run.config() == older
