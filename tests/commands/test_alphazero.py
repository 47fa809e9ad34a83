"""The commands with an AlphaZero agent: a small untrained network in a folder, as `bttt train` leaves one."""

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from commands import bttt

from agents.alphazero.network import digests_of, load_network, save_network
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from bttt.runs import default_folder
from tournaments.play.store import STORE_FILE, Store

TINY = NetworkConfig(stream=4, blocks=(4,), policy=4, value=4, hidden=4)
PLAYER = "alphazero:net,simulations=8"
TOURNAMENT = ["tournament", "--players", PLAYER, "random", "--bricks", "D4", "E5", "D3"]


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(0)


def save(seed):
    """Writes the network net/network.safetensors, whose record says that it was trained on D4."""
    Path("net").mkdir(exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        record = {"bricks": ["D4"], "boards": ["7x7x4:D4"]}
        save_network(Path("net/network.safetensors"), PolicyValueNet(TINY), record)


def from_anywhere(arguments):
    """Returns the arguments with the absolute path of the network: workers may run in an older folder."""
    return [str(each).replace("alphazero:net", f"alphazero:{Path.cwd() / 'net'}") for each in arguments]


def cells(folder):
    with Store.open(Path(folder) / STORE_FILE, read_only=True) as store:
        return {game.index: game.cells for game in store.games()}


def test_the_report_is_rebuilt_from_the_store_alone_without_torch_and_without_the_network(capsys):
    assert bttt(*TOURNAMENT, "--workers", 1, "--out", "run", capsys=capsys)[0] == 0
    report = Path("run/report.html").read_text()
    assert '<section id="novelty">' in report and "1 board<" in report and "2 boards<" in report
    assert "trained on" not in report[report.index("<summary>Settings") : report.index('id="ratings"')]
    Path("net/network.safetensors").unlink()
    Path("run/report.html").unlink()
    code = "import sys; from bttt.__main__ import main; main(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, "report", "run"], check=True, stdout=subprocess.DEVNULL)
    assert Path("run/report.html").read_text() == report


def test_games_depend_neither_on_workers_nor_on_games_in_flight(capsys):
    for folder, workers, in_flight in (("one", 1, 16), ("alone", 1, 1), ("two", 2, 4)):
        arguments = ["--workers", workers, "--in-flight", in_flight, "--repeats", 2, "--out", folder]
        assert bttt(*from_anywhere(TOURNAMENT), *arguments, capsys=capsys)[0] == 0
    assert len(cells("one")) == 12
    assert cells("one") == cells("alone") == cells("two")


def test_a_run_does_not_go_on_with_changed_weights(capsys):
    assert bttt(*TOURNAMENT, "--workers", 1, capsys=capsys)[0] == 0
    assert bttt(*TOURNAMENT, "--workers", 1, capsys=capsys)[0] == 0
    (folder,) = Path("runs").iterdir()
    save(1)
    code, _, err = bttt(*TOURNAMENT, "--out", folder, capsys=capsys)
    assert code == 2 and f"fingerprints is {PLAYER} " in err and len(err.strip().splitlines()) == 1
    assert bttt(*TOURNAMENT, "--workers", 1, capsys=capsys)[0] == 0
    assert len(list(Path("runs").iterdir())) == 2


def test_a_run_goes_on_with_a_network_trained_again_and_where_an_earlier_version_stored_it(capsys):
    """Earlier versions stored the digest of the network's file, with its dates, in settings and folder."""
    line = (*TOURNAMENT, "--workers", 1)
    path = Path("net/network.safetensors")
    assert bttt(*line, capsys=capsys)[0] == 0
    (folder,) = Path("runs").iterdir()
    before = cells(folder)
    network, record = load_network(path)
    save_network(path, network, record | {"date": "another day"})
    assert bttt(*line, capsys=capsys)[0] == 0
    found = digests_of(path)
    with sqlite3.connect(folder / STORE_FILE) as store:
        (text,) = store.execute("SELECT settings FROM runs").fetchone()
        assert found.learned in text
        settings = json.loads(text.replace(found.learned, found.file))
        store.execute("UPDATE runs SET settings = ?", (json.dumps(settings),))
    folder.rename(default_folder("tournament", settings))
    assert bttt(*line, capsys=capsys)[0] == 0
    (folder,) = Path("runs").iterdir()
    assert cells(folder) == before


def test_workers_that_find_another_file_than_the_run_began_with_play_nothing():
    source = "import os\nfrom agents.random_agent import RandomAgent\nclass Moving(RandomAgent):\n"
    Path("moving.py").write_text(f"{source}    fingerprint = str(os.getpid())\n")
    arguments = ["tournament", "--players", "random", "python:moving:Moving", "--bricks", "D4", "E5"]
    command = [sys.executable, "-m", "bttt", *arguments, "--workers", "2", "--in-flight", "2"]
    done = subprocess.run([*command, "--out", "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Moving was changed while the run began" in done.stderr
    assert cells("run") == {}


def test_decisions_of_an_evaluation_belong_to_the_weights_and_not_to_batches_or_workers(capsys):
    arguments = from_anywhere(["evaluate", PLAYER, "--bricks", "D4", "E5", "--positions", 20])
    tables = []
    for folder, batch, workers in (("one", 256, 1), ("small", 7, 1), ("two", 10, 2)):
        options = ["--batch", batch, "--workers", workers, "--out", folder]
        code, out, _ = bttt(*arguments, *options, capsys=capsys)
        assert code == 0
        tables.append(out.partition("\nwritten")[0])
    assert tables[0] == tables[1] == tables[2]
    save(1)
    bttt(*arguments, "--workers", 1, "--out", "one", capsys=capsys)
    stored = [json.loads(path.read_text()) for path in Path("one/decisions").iterdir()]
    assert len(stored) == 2 and stored[0]["agent"] == stored[1]["agent"] == arguments[1]
    assert stored[0]["cells"] != stored[1]["cells"]


def test_play_tells_the_value_of_the_network(capsys):
    code, out, _ = bttt("play", "--first", "random", "--second", PLAYER, capsys=capsys)
    assert code == 0
    moves = re.findall(r"^ ?\d+\. X \w\d +value [+-]\d\.\d\d, \d nodes$", out, re.MULTILINE)
    assert len(moves) == out.count(". X ") > 2


def test_time_and_conversion_take_the_agent(capsys):
    code, out, _ = bttt("time", "--players", PLAYER, "--calls", 3, capsys=capsys)
    assert code == 0 and PLAYER in out
    options = ["--board", "4x4x3", "--bricks", "A1", "--workers", 1, "--out", "conversion"]
    code, out, _ = bttt("conversion", PLAYER, *options, capsys=capsys)
    assert code == 0 and re.search(rf"^{PLAYER} +1 ", out, re.MULTILINE)


def test_agents_lists_the_options_and_the_bundled_networks(capsys):
    code, out, _ = bttt("agents", capsys=capsys)
    assert code == 0
    assert "\nmcts:iterations=1000" in out and "alphazero:network=all,simulations=100," in out
    assert re.search(
        r"^d4\n    trained on D4; seed \d+; \d{4}-\d\d-\d\d; .*% seen, .*% novel$", out, re.MULTILINE
    )
    assert re.search(r"^all\n    trained on all; ", out, re.MULTILINE)
