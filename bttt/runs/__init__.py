"""bttt/runs."""

from bttt.runs.doors import on_first_use
from bttt.runs.exit_codes import CLOSED_PIPE, FORFEITS, INTERRUPTED, OK, USAGE_ERROR
from bttt.runs.folder import (
    add_environment,
    default_folder,
    environment,
    hold,
    open_folder,
    peak_memory_mb,
    plain,
    provenance,
    read_json,
    write_bytes,
    write_json,
    write_text,
)
from bttt.runs.intervals import Z95, wilson
from bttt.runs.options import nearest, parse_options
from bttt.runs.processes import quietly, side_by_side
from bttt.runs.tables import TEXT_WIDTH, aligned, csv_text, number_text

__all__ = [
    "CLOSED_PIPE",
    "FORFEITS",
    "INTERRUPTED",
    "OK",
    "TEXT_WIDTH",
    "USAGE_ERROR",
    "Z95",
    "add_environment",
    "aligned",
    "csv_text",
    "default_folder",
    "environment",
    "hold",
    "nearest",
    "number_text",
    "on_first_use",
    "open_folder",
    "parse_options",
    "peak_memory_mb",
    "plain",
    "provenance",
    "quietly",
    "read_json",
    "side_by_side",
    "wilson",
    "write_bytes",
    "write_json",
    "write_text",
]
