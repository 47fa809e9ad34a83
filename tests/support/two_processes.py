"""A script run by two processes at once, which meet through a file."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def in_two_processes(script: str, folder: Path) -> list:
    """Returns what each process, given its rank and `folder`, wrote as JSON into RANK.json there."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "support")))
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(rank), str(folder)],
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        errors = [process.communicate(timeout=120)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], "\n".join(errors)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]
