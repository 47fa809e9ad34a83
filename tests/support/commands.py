"""The `bttt` command run in this process."""

from bttt.__main__ import main


def bttt(*arguments, capsys):
    """Returns exit code, stdout and stderr of one command run in this process."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:  # as --help does
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(*arguments, capsys):
    """Returns the one-line error of a command that must exit with code 2."""
    code, _, err = bttt(*arguments, capsys=capsys)
    assert code == 2
    lines = [
        line for line in err.splitlines() if line.strip() and "compiling" not in line and "%|" not in line
    ]
    assert len(lines) == 1, err
    return lines[0]
