"""Logs are followed until the last container has exited."""

import io

from cntnr_compose.cli.display.log_printer import LogPrinter
from cntnr_compose.cli.flows.log_follow import follow_until_exit
from tests.unit.cli.scripted import ScriptedSupervisor


def test_logs_that_are_followed_end_with_the_last_container() -> None:
    script = ScriptedSupervisor()
    out = io.BytesIO()
    script.then(script.event("start", "db"))
    script.then(script.event("die", "web", 1))
    script.then(script.line("db", "late"), script.event("die", "db"))
    running = {script.containers["web"].record.id}
    follow_until_exit(script, LogPrinter(streams=(out, out)), running)  # type: ignore[arg-type]
    assert out.getvalue().decode().splitlines()[-2:] == ["db-1   | late", "db-1 exited with code 0"]
