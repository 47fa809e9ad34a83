"""The machines of a report: a damaged environment.json is one line that names the file."""

import json

import pytest

from pruning.studies.experiment.report import machines

MADE = {"machine": "Linux", "cores": 2, "date": "2026-01-02T03:04:05+00:00"}


def test_machines_are_told_once_each(tmp_path):
    (tmp_path / "environment.json").write_text(json.dumps([MADE, MADE, {**MADE, "device": "cuda"}]))
    assert machines(tmp_path).split("; ") == [
        "machine   Linux, 2 cores, cpu, 2026-01-02",
        "Linux, 2 cores, cuda, 2026-01-02",
    ]


@pytest.mark.parametrize("made", [{"cores": 2}, {**MADE, "date": 5}, 3, None, "Linux"])
def test_an_entry_of_another_form_is_one_line(tmp_path, made):
    (tmp_path / "environment.json").write_text(json.dumps([made]))
    with pytest.raises(ValueError, match=r"environment\.json is corrupt \(.*\): repair or delete it"):
        machines(tmp_path)
