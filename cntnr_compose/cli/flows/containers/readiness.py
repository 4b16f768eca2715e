"""Tell the service manager that started us when a container is ready, as its `--sdnotify` says."""

import threading
from typing import Self

from cntnr_compose.client.boot import service_manager
from cntnr_compose.containers.bundle import notify_socket
from cntnr_compose.containers.state import healthcheck, records
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import proc
from cntnr_compose.model.listed import RUNNING_STATES
from cntnr_compose.model.observed import Record

# podman's words: the container runs, its program says so, it is healthy, never.
RUNS, SAYS_SO, IS_HEALTHY, NEVER = "conmon", notify_socket.BY_PROGRAM, "healthy", "ignore"
MODES = (RUNS, SAYS_SO, IS_HEALTHY, NEVER)
POLL_INTERVAL: Seconds = 0.1


class NoHealthcheck(CntnrError):
    """A container is to count as ready when it is healthy, which nothing checks."""

    hint = "--health-cmd adds a check"

    def __init__(self, name: str) -> None:
        super().__init__(f"--sdnotify healthy: container {name} has no health check")


class EndedBeforeReady(CntnrError):
    """A container has ended before it was ready."""

    def __init__(self, name: str) -> None:
        super().__init__(f"container {name} has ended before it was ready")


class Readiness:
    """Watch one container from before its start, for as long as the block runs."""

    def __init__(self, record: Record, emit: Emit) -> None:
        """Take the container, and where to warn of a service manager that is not there."""
        self._record, self._emit = record, emit
        mode = record.definition.annotations.get(notify_socket.ANNOTATION, RUNS)
        self._mode = mode if service_manager.is_there() else NEVER
        self._relay: service_manager.NotifyRelay | None = None
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        """Listen to the program, where it is to say that it is ready. Raises `NoHealthcheck`."""
        if self._mode == IS_HEALTHY and healthcheck.probe_settings(self._record) is None:
            raise NoHealthcheck(self._record.name)
        if self._mode == SAYS_SO:
            folder = notify_socket.notify_folder(self._record)
            folder.mkdir(exist_ok=True)
            self._relay = service_manager.NotifyRelay(folder)
        return self

    def __exit__(self, *_: object) -> None:
        """Listen and watch no more."""
        self._is_over.set()
        if self._relay is not None:
            self._relay.close()

    def note_start(self) -> None:
        """Note that the container was started; tell of it now or later, beside what else we do."""
        if self._mode == RUNS:
            self._tell_ready()
        elif self._relay is not None:
            self._relay.start(self._emit)
        elif self._mode == IS_HEALTHY:
            threading.Thread(target=self._wait_until_healthy, daemon=True).start()

    def wait_detached(self) -> None:
        """Note a start in the background; return when it is ready. Raises `EndedBeforeReady`."""
        if self._mode == RUNS:
            self._tell_ready(find_conmon(self._record.id))
        elif self._mode == IS_HEALTHY:
            self._wait_until_healthy(find_conmon(self._record.id))
        elif self._relay is not None:
            self._relay.main_pid = find_conmon(self._record.id)
            self._relay.start(self._emit)
            while not self._relay.is_ready.wait(POLL_INTERVAL):
                self._check_running()

    def _wait_until_healthy(self, main_pid: int = 0) -> None:
        while not self._is_over.wait(POLL_INTERVAL):
            if records.read_status(self._record).health == IS_HEALTHY:
                self._tell_ready(main_pid)
                return
            if main_pid:
                self._check_running()

    def _tell_ready(self, main_pid: int = 0) -> None:
        service_manager.tell_ready(f"{self._record.name} runs", self._emit, main_pid)

    def _check_running(self) -> None:
        if records.read_status(self._record).state not in RUNNING_STATES:
            raise EndedBeforeReady(self._record.name)


def find_conmon(container_id: str) -> int:
    """Find the pid, on this machine, of what monitors a container, and ends with it; 0 where it is gone."""
    return next(
        (
            pid
            for pid in proc.find_by_argument(container_id.encode())
            if proc.command_line(pid)[:1] and proc.command_line(pid)[0].endswith(b"conmon")
        ),
        0,
    )
