"""Settings of every test run."""

import signal

import pytest
from hypothesis import settings

# The same examples in every run, so that a red run is the change's fault; the `slow` fuzz looks for
# new ones. No deadline: the first example of a kernel may have to compile it.
settings.register_profile("segfmt", deadline=None, derandomize=True)
settings.load_profile("segfmt")

# A shell makes what runs in its background deaf to Ctrl-C, and with it the commands that tests stop
# that way.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Give the fuzz its own line: one that tries nothing passes, too.

    Here, not in its folder, and from reports, as the tests may have run in other processes.
    """
    reports = [
        report for status in ("passed", "failed") for report in terminalreporter.getreports(status)
    ]
    properties = [one for report in reports for one in getattr(report, "user_properties", ())]
    counts = {
        name: count
        for key, counted in properties
        if key == "tried"
        for name, count in counted.items()
    }
    if counts:
        listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        terminalreporter.write_sep("-", "fuzz of the readers")
        terminalreporter.write_line(f"{sum(counts.values())} damaged datasets: {listed}")
