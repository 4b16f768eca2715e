"""One container's life: its states, how it is stopped, and whether it is started again."""

from cntnr_compose.core.values import Seconds
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Service

DEFAULT_GRACE_PERIOD: Seconds = 10
DEFAULT_STOP_SIGNAL = "SIGTERM"

# State and what happens to the state after it; a pair that is not listed is a bug.
TRANSITIONS = {
    ("created", "start"): "running",
    ("created", "remove"): "removing",
    ("running", "exit"): "exited",
    ("running", "back off"): "restarting",
    ("running", "pause"): "paused",
    ("running", "remove"): "removing",
    ("paused", "unpause"): "running",
    ("paused", "exit"): "exited",
    ("paused", "back off"): "restarting",
    ("paused", "remove"): "removing",
    ("restarting", "start"): "running",
    ("restarting", "back off"): "restarting",
    ("restarting", "stop"): "exited",
    ("restarting", "exit"): "exited",
    ("restarting", "remove"): "removing",
    ("exited", "start"): "running",
    ("exited", "remove"): "removing",
    ("removing", "fail"): "dead",
    ("dead", "remove"): "removing",
}


def next_state(state: str, event: str) -> str:
    """Give the state that follows."""
    return TRANSITIONS[state, event]


def stop_signal(service: Service, image: ImageConfig) -> str:
    """Name the signal that asks a container to end."""
    return service.stop_signal or image.stop_signal or DEFAULT_STOP_SIGNAL


def grace_period(service: Service, requested: Seconds | None = None) -> Seconds:
    """Tell how long a container has to end by itself; what the command asks for comes first."""
    if requested is not None:
        return requested
    return DEFAULT_GRACE_PERIOD if service.stop_grace_period is None else service.stop_grace_period
