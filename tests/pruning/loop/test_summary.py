"""What a run leaves for people: a table of its results, and a README whose lines load a level."""

import csv
from dataclasses import replace

import pytest
import torch
from toy_task import ToyTask

from pruning.loop import Plan, run, summary_rows
from pruning.loop.summary import write_summary


def rows_of(folder):
    with (folder / "results.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("criterion", ["magnitude", "dropnet"])
def test_a_run_leaves_its_results_and_how_to_load_a_level(tmp_path, criterion):
    task, levels = ToyTask(), []
    plan = Plan.from_settings(criterion=criterion, cycles=2)
    results = run(task, plan, tmp_path, levels.append)
    rows = rows_of(tmp_path)
    assert [int(row["cycle"]) for row in rows] == [0, 1, 2]
    assert [float(row["quality"]) for row in rows] == [result.measures["quality"] for result in results]
    assert float(rows[2]["dense macs"]) > float(rows[2]["sparse macs"])
    assert ("sparse bytes" in rows[0]) == (criterion == "magnitude")
    text = (tmp_path / "README.txt").read_text()
    blocks, space = text.split("\n\n"), {"task": task}
    exec(
        "\n".join(line[4:] for block in blocks if block.startswith("    ") for line in block.splitlines()),
        space,
    )
    assert space["result"] == results[-1] and space["masks"] == levels[-1].masks
    for name, tensor in space["network"].state_dict().items():
        assert torch.equal(tensor, levels[-1].network.state_dict()[name])
    assert ("small" in space) == (criterion == "dropnet")


def test_sparse_bytes_are_a_bit_for_each_weight_and_the_kept_ones(tmp_path):
    last = run(ToyTask(), Plan.from_settings(criterion="magnitude", cycles=1, fraction=0.5), tmp_path)[-1]
    dropped = last.prunable - last.kept
    bits = sum(-(-size // 8) for _, size in last.layers.values())
    assert last.sparse_bytes == last.dense_bytes - 8 * dropped + bits


def test_a_finished_run_is_not_written_again(tmp_path):
    plan = Plan.from_settings(criterion="magnitude", cycles=1)
    run(ToyTask(), plan, tmp_path)
    (tmp_path / "results.csv").write_text("mine")
    run(ToyTask(), plan, tmp_path)
    assert (tmp_path / "results.csv").read_text() == "mine"


def test_no_cell_is_a_formula_and_empty_columns_are_left_out(tmp_path):
    first = run(ToyTask(), Plan.from_settings(criterion="magnitude", cycles=0), tmp_path)[0]
    told = replace(first, left_out={"=cmd()": "why"})
    write_summary(tmp_path, [told], units=False)
    assert rows_of(tmp_path)[0]["left out"] == "'=cmd()"
    assert "left out" not in summary_rows([first])[0]


def test_no_head_is_a_formula_and_no_measure_has_the_name_of_a_column(tmp_path):
    first = run(ToyTask(), Plan.from_settings(criterion="magnitude", cycles=0), tmp_path)[0]
    (row,) = summary_rows([replace(first, left_out={"rnn": "why"})])
    for name in {*row} - {*first.measures}:
        with pytest.raises(ValueError, match=f"the name '{name}' is taken"):
            replace(first, measures={name: 7.0})
    write_summary(tmp_path, [replace(first, measures={"=cmd": 7.0, "\t-cmd": 8.0})], units=False)
    (row,) = rows_of(tmp_path)
    assert row["'=cmd"] == "7.0" and row["'\t-cmd"] == "8.0"


@pytest.mark.parametrize("name", ["README.txt", "results.csv"])
def test_a_persons_files_are_not_replaced(tmp_path, name):
    task, plan = ToyTask(), Plan.from_settings(criterion="magnitude", cycles=0)
    (tmp_path / name).write_text("mine")
    with pytest.raises(ValueError, match=f"{name} is of no pruning run, which would replace it"):
        run(task, plan, tmp_path)
    assert not task.starts and [each.name for each in tmp_path.iterdir()] == [name]
    (tmp_path / name).unlink()
    run(task, plan, tmp_path)
    (tmp_path / name).write_text("mine")
    assert len(run(task, plan.with_settings(cycles=1), tmp_path)) == 2
    assert (tmp_path / name).read_text() == "mine"
