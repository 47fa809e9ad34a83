"""Random command lines, specs, JSON files and checkpoints: accepted, or refused in one line with code 2.

Nothing here may end in a traceback, and nothing may take long: budgets are tiny, and what reads a file reads
it within bounds. The examples are few, so that the suite stays fast; a longer search found no other failure.
"""

import json
import sqlite3
import struct
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records import random_round_robin

from agents import make_agent
from agents.alphazero.network import load_checkpoint
from agents.alphazero.network.checkpoint import FORMAT, VERSION
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from agents.alphazero.weights import record
from bttt import Board, brick_sets
from bttt.__main__ import main
from bttt.runs import read_json
from bttt.solver.log import read_log
from pruning.data.batches import read_batch
from pruning.data.idx import read_idx
from pruning.masks import read_header
from pruning.studies.alphazero.buffer import load_buffer
from pruning.studies.published.verdicts import verdict_table
from pruning.studies.schedules.spec import parse_schedule
from tournaments.play.rows import COLUMNS
from tournaments.play.store import STORE_FILE, Store
from tournaments.report.publishing import publish

few = settings(max_examples=40, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = [
    "0",
    "-1",
    "1",
    "3",
    "1e9",
    "nan",
    "-inf",
    "1e400",
    str(2**63),
    "9" * 5000,
    "0x10",
    "1_0",
    "\u0663",
]
WORDS = [
    *NUMBERS,
    "",
    " ",
    "none",
    "true",
    ":",
    ",",
    "=",
    "a=b",
    "--",
    "-",
    "\0",
    "\ud800",
    "../..",
    "D4",
    "all",
    "x" * 300,
]
NAMES = [
    "mcts",
    "minimax",
    "perfect",
    "random",
    "alphazero",
    "human",
    "python",
    "alphazero:d4",
    "silo",
    "clr",
    "rigl",
]
OPTIONS = [
    "iterations",
    "depth",
    "c",
    "seconds",
    "leaf",
    "simulations",
    "limit",
    "table_mb",
    "lr",
    "epsilon",
    "p",
]
SPECS = st.builds(
    lambda name, options, tail: name + ":" + ",".join(f"{key}={value}" for key, value in options) + tail,
    st.sampled_from(NAMES) | st.text(max_size=8),
    st.lists(st.tuples(st.sampled_from(OPTIONS) | st.text(max_size=5), st.sampled_from(WORDS)), max_size=3),
    st.sampled_from(["", ",", ":", "=", " "]),
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["recipe", "claims", "claim", "verdict", "evidence", "position", "value"]), inner
        )
    ),
    max_leaves=12,
)
ANY_JSON = st.one_of(
    JSON.map(json.dumps),
    st.integers(90, 200_000).map(lambda depth: "[" * depth),
    st.integers(90, 3_000).map(lambda depth: '{"a":' * depth + "1" + "}" * depth),
    st.text(max_size=20),
).map(lambda text: text.encode("utf-8", "surrogatepass"))


def accepted_or_refused(call):
    """Returns what a call returns, or its ValueError or OSError; any other exception fails the test."""
    try:
        return call()
    except (ValueError, OSError) as error:
        assert str(error)
        return error


@few
@given(SPECS)
def test_specs(spec):
    accepted_or_refused(lambda: make_agent(spec) if "table_mb" not in spec else None)
    accepted_or_refused(lambda: parse_schedule(spec))


@few
@given(
    st.sampled_from(["", "random:", "orbit:", "drawn:", "7x7x4:", "python:"]),
    st.sampled_from(WORDS),
    st.text(max_size=9),
)
def test_bricks_and_boards(kind, word, text):
    for each in (kind + word, kind + text, f"{kind}{word},count={text}", f"{word}+{text}"):
        accepted_or_refused(lambda each=each: brick_sets(each))
        accepted_or_refused(lambda each=each: Board.parse(each))


LINES = [
    *("train", "tournament", "evaluate", "conversion", "play", "time", "report", "replay", "solve", "starts"),
    *(
        "layouts",
        "drawn",
        "suites",
        "prune",
        "levels",
        "schedules",
        "generalisation",
        "compression",
        "methods",
    ),
    *("bricks", "vision", "agents", "solvee", "-", ""),
]
FLAGS = [
    "--seed",
    "--workers",
    "--bricks",
    "--board",
    "--out",
    "--repeats",
    "--players",
    "--nodes",
    "--search.lookahead",
    "--x",
]
"""Each line ends in an option that no command has, so that none of them begins to work."""


@few
@given(
    st.sampled_from(LINES), st.lists(st.tuples(st.sampled_from(FLAGS), st.sampled_from(WORDS)), max_size=3)
)
def test_command_lines(tmp_path, monkeypatch, capsys, command, options):
    monkeypatch.chdir(tmp_path)
    line = [command, *(word for pair in options for word in pair), "--no-such-option"]
    code = main(line)
    err = capsys.readouterr().err
    assert code == 2 and err.count("\n") == 1 and "Traceback" not in err, err


ARGUMENTS = st.sampled_from([*WORDS, "2x2x2", "3x3x2:A1", "3x3x3:Z9", "results.json", "."]) | st.text(
    max_size=6
)


@few
@given(
    st.sampled_from(["solve", "report", "replay", "levels", "vision", "schedules"]),
    st.lists(ARGUMENTS, min_size=1, max_size=2),
)
def test_commands_that_read_what_they_are_given(tmp_path, monkeypatch, capsys, command, arguments):
    """No option that does not exist stands here: what the arguments name is looked for, and read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results.json").write_text("[" * 2000)
    code = main([command, *arguments])
    err = capsys.readouterr().err
    assert code in (0, 2) and "Traceback" not in err and (code == 0 or err.count("\n") == 1), err


@few
@given(ANY_JSON)
def test_json_files(tmp_path, content):
    path = tmp_path / "results.json"
    path.write_bytes(content)
    for call in (lambda: read_json(path, dict), lambda: read_log(path), lambda: verdict_table(tmp_path)):
        accepted_or_refused(call)


TENSORS = PolicyValueNet(NetworkConfig(stream=4, blocks=(4,), policy=4, value=4, hidden=4)).state_dict()
ARCHITECTURE = NetworkConfig().to_json()


def safetensors(header: bytes, length: int | None, rest: bytes) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + rest


@few
@given(
    JSON | st.fixed_dictionaries({"architecture": st.just(ARCHITECTURE) | JSON, "record": JSON}),
    st.dictionaries(
        st.sampled_from(sorted(ARCHITECTURE)), LEAVES | st.lists(st.integers(-2, 9_999), max_size=4)
    ),
    st.sampled_from([None, 0, 1, 2**40, 2**64 - 1]),
    st.binary(max_size=64),
)
def test_checkpoints(tmp_path, header, changes, length, rest):
    path = tmp_path / "network.safetensors"
    if isinstance(header, dict) and isinstance(header.get("architecture"), dict):
        header = {**header, "architecture": {**header["architecture"], **changes}}
    metadata = {"format": FORMAT, "version": str(VERSION), "header": json.dumps(header)}
    entry = {"dtype": "F32", "shape": [2, 8], "data_offsets": [0, len(rest)]}
    text = json.dumps({"__metadata__": metadata, "stem.weight": entry}).encode()
    path.write_bytes(safetensors(text, length, rest))
    for call in (lambda: load_checkpoint(path), lambda: record(path), lambda: read_header(path, "cycle")):
        accepted_or_refused(call)


@few
@given(
    st.binary(max_size=80),
    st.sampled_from([b"", b"\x1f\x8b", b"\x80\x02}", b"PK\x03\x04", b"\x00\x00\x08\x03"]),
)
def test_data_files(tmp_path, content, magic):
    path = tmp_path / "file.gz"
    path.write_bytes(magic + content)
    for call in (lambda: read_idx(path, 3), lambda: read_batch(path), lambda: load_buffer(path, 49, {})):
        assert isinstance(accepted_or_refused(call), ValueError | dict)


def test_notes_are_no_buffer_and_nobody_is_told_to_unpickle_them(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("buy milk")
    with pytest.raises(ValueError, match=r"not a complete .npz file: .*: delete it, or choose") as error:
        load_buffer(path, 49, {})
    assert "pickle" not in str(error.value)


CELLS = [(table, column) for table, columns in COLUMNS.items() for column in columns]
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 50),
    st.floats(),
    st.text(max_size=6),
    st.binary(max_size=60),
    st.sampled_from(["3x3x3:B2", "4x4x3", "a", "[]", "{}", "[[", '{"seed": 0}', *NUMBERS]),
    JSON.map(json.dumps),
)


@pytest.fixture(scope="module")
def tournament(tmp_path_factory):
    """The content of a tournament's file whose columns take any value."""
    path = tmp_path_factory.mktemp("tournament") / STORE_FILE
    with Store.create_or_open(path, {"seed": 0, "players": ["a", "b"]}, ("a", "b"), 4) as store:
        store.add(random_round_robin(("a", "b"), [Board.parse("3x3x3:B2"), Board.parse("4x4x3")]))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO stages (run_id, players, boards, repeats) VALUES (1, 2, 1, 1)")
        connection.execute("INSERT INTO tracebacks (player_id, number, text) VALUES (1, 0, 'Traceback')")
        connection.execute("DROP VIEW results")
        for table in COLUMNS:
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            connection.execute(f"CREATE TABLE copied AS SELECT * FROM {table}")
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"CREATE TABLE {table} ({', '.join(names)})")
            connection.execute(f"INSERT INTO {table} SELECT * FROM copied")
            connection.execute("DROP TABLE copied")
        connection.commit()
    return path.read_bytes()


@settings(few, max_examples=20)
@given(st.lists(st.tuples(st.sampled_from(CELLS), st.integers(1, 4), VALUES), min_size=1, max_size=3))
def test_columns_of_tournaments(tmp_path, capsys, tournament, changes):
    """Some changes leave a tournament that is read and reported, so both ends are met."""
    path = tmp_path / STORE_FILE
    path.write_bytes(tournament)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for (table, column), row, value in changes:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))

    def report():
        with Store.open(path, read_only=True) as store:
            return [publish(tmp_path, store, anchor=None, csv=True), store.games()]

    found = accepted_or_refused(report)
    assert isinstance(found, list | ValueError) and "\n" not in str(found)
    assert "\x1b" not in capsys.readouterr().out
