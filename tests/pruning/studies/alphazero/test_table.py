"""The table of levels: a stored run gives its stored texts; the file keeps its own names of columns."""

import csv
import io
from dataclasses import replace
from pathlib import Path

from measured_prunings import level

from bttt import NOVELTIES
from pruning.studies.alphazero.measures import LevelTimes
from pruning.studies.alphazero.table import write_table

STORED = Path(__file__).parents[4] / "results/pruning-r3"


def stored_level(row):
    """A level with the values of a row of levels.csv."""
    made = level(int(row["level"]), density=float(row["density"]))
    measures = {name: float(row[name]) for name in ("agreement", *(f"losing {each}" for each in NOVELTIES))}
    cost = {"parameters": int(row["parameters"]), "macs": int(row["MACs"]), "bytes": int(row["bytes"])}
    times = LevelTimes(float(row["ms, 1"]), float(row["ms, 64"]), 64e3 / float(row["evals/s"]))
    searched = {each: float(row[f"searched {each}"]) for each in NOVELTIES}
    return replace(
        made,
        result=replace(made.result, measures=measures, groups={"cost": cost}),
        times=times,
        searched=searched,
    )


def test_a_stored_run_prints_its_stored_table(tmp_path):
    text = (STORED / "levels.csv").read_text(encoding="utf-8")
    printed = write_table(tmp_path, [stored_level(row) for row in csv.DictReader(io.StringIO(text))])
    assert printed == (STORED / "levels.txt").read_text(encoding="utf-8").rstrip("\n")
    assert "error %, raw, novel  error %, search, seen" in printed.splitlines()[0]
    written = (tmp_path / "levels.csv").read_text(encoding="utf-8")
    assert written.splitlines()[0] == text.splitlines()[0]


def test_columns_that_are_not_measured_are_left_out(tmp_path):
    printed = write_table(tmp_path, [level(0)])
    names = (tmp_path / "levels.csv").read_text(encoding="utf-8").splitlines()[0]
    assert "error" not in printed and "losing" not in names and names.startswith("level,density,parameters")


def test_the_file_names_the_evaluator_of_the_times(tmp_path):
    times = LevelTimes(0.1, 2.0, evaluator="openvino, bfloat16")
    printed = write_table(tmp_path, [replace(level(0), times=times)])
    assert "openvino" not in printed and printed.split()[-1] == "32,000"
    with (tmp_path / "levels.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["evaluator"], float(row["evals/s"])) == ("openvino, bfloat16", 32e3)


def test_pruned_weights_are_shown_as_a_program_that_skips_them_would_see_them(tmp_path):
    whole, pruned = level(0), level(1)
    told = {"dense_macs": 100, "dense_bytes": 4000, "density_of_all": 0.5}
    cost = {"parameters": 1000, "macs": 100, "bytes": 4100}
    found = [
        replace(
            each,
            result=replace(each.result, sparse_macs=macs, sparse_bytes=size, groups={"cost": cost}, **told),
        )
        for each, macs, size in ((whole, 100, 4000), (pruned, 25, 1030))
    ]
    printed = write_table(tmp_path, found).splitlines()
    heads = "level  density  of all  parameters  MACs  sparse MACs  bytes  sparse bytes"
    assert printed[0].startswith(heads)
    assert printed[2].split()[4:8] == ["100", "25", "4,100", "1,130"]
    names, _, last = (tmp_path / "levels.csv").read_text(encoding="utf-8").splitlines()
    assert names.endswith(",density of all,sparse MACs,sparse bytes") and last.endswith(",0.5,25,1130")
