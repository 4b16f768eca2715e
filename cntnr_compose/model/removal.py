"""What the process that removes networks and volumes inside the holder is asked, and what it answers."""

from cntnr_compose.core.values import Bytes, Value


class RemovalRequest(Value, frozen=True, kw_only=True):
    """Networks and volumes to remove, by name."""

    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()


class RemovalResult(Value, frozen=True, kw_only=True):
    """What became of one network or volume; without ``error`` it is gone."""

    name: str
    error: str = ""
    hint: str = ""
    size: Bytes = 0  # of a volume's files
