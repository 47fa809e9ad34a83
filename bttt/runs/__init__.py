"""What all commands share: run folders, options, checks, text tables, exit codes.

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from bttt.runs import open_run
>>> with TemporaryDirectory() as folder, open_run("train", {"seed": 0}, out=Path(folder) / "run") as run:
...     run.write_config({"seed": 0})
...     run.config()
{'seed': 0}

Modules: `folder` opens run folders, `files` reads and writes files, `limits` checks, `settings` and `origin`
say what a run was; `options` and `plugins` read specs, `tables` formats text.
"""

from bttt.runs.doors import on_first_use, when_imported
from bttt.runs.exit_codes import BUG, CLOSED_PIPE, FORFEITS, INTERRUPTED, OK, USAGE_ERROR
from bttt.runs.files import (
    json_value,
    lined_json,
    plain,
    read_bytes,
    read_json,
    read_text,
    refuse_other_file,
    write_bytes,
    write_json,
    write_text,
)  # fmt: skip
from bttt.runs.folder import (
    CONFIG_FILE,
    ENVIRONMENT_FILE,
    RunFolder,
    default_folder,
    make_folder,
    open_results,
    open_run,
    report_found,
)  # fmt: skip
from bttt.runs.intervals import Z95, ratio_interval, spread_half_width, wilson
from bttt.runs.limits import as_record, checking, require_at_least
from bttt.runs.options import nearest, parse_options
from bttt.runs.origin import environment, peak_memory_mb, provenance
from bttt.runs.plugins import FAILURES, PLUGIN_PREFIX, folder_name, is_plugin, load_plugin, one_line, resolve
from bttt.runs.settings import (
    NOT_A_SETTING,
    from_options,
    option,
    options_of,
    part,
    refuse_set_by_study,
    settings_of,
    useless_options,
    with_options,
    without_effect,
)  # fmt: skip
from bttt.runs.tables import TEXT_WIDTH, aligned, csv_text, is_number, number_text, printable, rounded

__all__ = [
    "BUG", "CLOSED_PIPE", "CONFIG_FILE", "ENVIRONMENT_FILE", "FAILURES", "FORFEITS", "INTERRUPTED",
    "NOT_A_SETTING", "OK", "PLUGIN_PREFIX", "TEXT_WIDTH", "USAGE_ERROR", "Z95", "RunFolder", "aligned",
    "as_record", "checking", "csv_text", "default_folder", "environment", "folder_name", "from_options",
    "is_number", "is_plugin", "json_value", "lined_json", "load_plugin", "make_folder", "nearest",
    "number_text", "on_first_use", "one_line", "open_results", "open_run", "option", "options_of",
    "parse_options", "part", "peak_memory_mb", "plain", "printable", "provenance", "ratio_interval",
    "read_bytes", "read_json", "read_text", "refuse_other_file", "refuse_set_by_study", "report_found",
    "require_at_least", "resolve", "rounded", "settings_of", "spread_half_width", "useless_options",
    "when_imported", "wilson", "with_options", "without_effect", "write_bytes", "write_json", "write_text",
]  # fmt: skip
