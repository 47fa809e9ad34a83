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
    """Returns the one-line error of a command that must exit with code 2, and say nothing else on stderr."""
    return _refused(arguments, capsys, lambda line: True)


def refused_at_work(*arguments, capsys):
    """The same of a command that may have begun to work: bars and news of compiling may stand beside it."""
    return _refused(arguments, capsys, lambda line: "compiling" not in line and "%|" not in line)


def _refused(arguments, capsys, counts):
    code, _, err = bttt(*arguments, capsys=capsys)
    assert code == 2
    lines = [line for line in err.splitlines() if line.strip() and counts(line)]
    assert len(lines) == 1, err
    return lines[0]
