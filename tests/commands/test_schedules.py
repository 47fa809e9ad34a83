"""The command `bttt schedules`, as a user calls it."""

import subprocess
import sys
from pathlib import Path

import pytest
from commands import bttt

from pruning.schedules.registry import SCHEDULES


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_picture_and_the_peak_of_each_cycle(capsys):
    arguments = ("silo", "warmup-step:lr=0.03", "step:drops=0.3+0.6", "--cycles", 4)
    code, out, err = bttt("schedules", *arguments, "--out", "deep/lr.png", capsys=capsys)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].split() == ["cycle", "silo", "warmup-step:lr=0.03", "step:drops=0.3+0.6"]
    assert [line.split() for line in lines[1:5]] == [
        ["0", "0.03000", "0.03000", "0.10000"],
        ["1", "0.03000", "0.03000", "0.10000"],
        ["2", "0.03004", "0.03000", "0.10000"],
        ["3", "0.03213", "0.03000", "0.10000"],
    ]
    assert lines[5:] == ["written: deep/lr.png"]
    assert Path("deep/lr.png").read_bytes().startswith(b"\x89PNG")


def test_every_schedule_can_be_drawn(capsys):
    code, out, _ = bttt("schedules", *SCHEDULES, "--cycles", 1, "--out", "all.svg", capsys=capsys)
    assert code == 0
    assert out.splitlines()[0].split()[1:] == list(SCHEDULES)
    picture = Path("all.svg").read_text()
    assert picture.count('id="line2d_') > len(SCHEDULES)


def test_help_names_every_schedule_and_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys\nfrom bttt.__main__ import main\n"
        "try:\n    main(['schedules', '--help'])\nfinally:\n"
        "    print(*sorted({'torch', 'matplotlib', 'numba'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []
    words = done.stdout.replace(",", " ").replace(".", " ").split()
    assert set(SCHEDULES) <= set(words)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sylo",), "unknown schedule 'sylo' (did you mean 'silo'?); schedules are constant, "),
        (("silo:eps=1",), "schedule 'silo:eps=1': unknown option 'eps'"),
        (("silo", "silo"), "schedule 'silo' is named twice"),
        (("--cycles", 0), "cycles must be 1 to 100, got 0"),
        (("--cycles", 101), "cycles must be 1 to 100, got 101"),
        (("--out", "lr.gif"), "out must end in .pdf, .png, .svg, got lr.gif"),
        (("--out", "file/lr.png"), "file"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, capsys):
    Path("file").write_text("")
    code, _, err = bttt("schedules", *arguments, capsys=capsys)
    assert code == 2
    assert len(err.splitlines()) == 1 and message in err
    assert not list(Path().glob("*.png"))
