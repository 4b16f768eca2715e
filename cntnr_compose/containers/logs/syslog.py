"""Send lines to a syslog server, in the formats of docker's driver (RFC 3164, RFC 5424)."""

import asyncio
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cntnr_compose.containers.logs.lines import LogLine
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Seconds, Value
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import Record

if TYPE_CHECKING:
    import ssl

DEFAULT_PORTS = {"udp": 514, "tcp": 514, "tcp+tls": 6514}
LOCAL_SOCKETS = ("/dev/log", "/var/run/syslog", "/var/run/log")
FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "", "", "", "", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
FORMATS = ("", "rfc3164", "rfc5424", "rfc5424micro")
SEVERITIES = {"stdout": 6, "stderr": 3}  # informational, error
TLS_FILES = ("syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key")
DEFAULT_TAG = "{{.ID}}"
TAG_FIELD = re.compile(r"\{\{\s*\.(\w+)\s*\}\}")
SHORT_ID = 12
MAX_TEXT: Bytes = 16 << 10  # of one message, as docker's; a datagram has at most 64 KiB
CONNECT_TIMEOUT: Seconds = 5


class SyslogOptionInvalid(CntnrError):
    """An option of the log driver syslog has an invalid value."""

    def __init__(self, option: str, value: str, expected: str) -> None:
        super().__init__(f'cannot log to syslog: {option} "{value}" is not {expected}')


class SyslogTarget(Value, frozen=True, kw_only=True):
    """Where messages go, and how they look."""

    protocol: str  # udp, tcp, tcp+tls, unix, unixgram
    address: str  # a host, or the path of a socket
    port: int = 0
    facility: int = FACILITIES.index("daemon")
    format: str = ""
    tag: str
    tls_files: tuple[str, str, str] = ("", "", "")  # authorities, own certificate, its key
    verifies: bool = True

    @property
    def is_datagram(self) -> bool:
        """Tell whether each message is one datagram."""
        return self.protocol in ("udp", "unixgram")

    def __str__(self) -> str:
        return f"{self.protocol}://{self.address}{f':{self.port}' if self.port else ''}"


def parse_options(options: Mapping[str, str], record: Record) -> SyslogTarget:
    """Parse the options of a container's `logging`. Raises `SyslogOptionInvalid`."""
    protocol, address, port = _parse_address(options.get("syslog-address", ""))
    form = options.get("syslog-format", "")
    if form not in FORMATS:
        raise SyslogOptionInvalid("syslog-format", form, "rfc3164, rfc5424 or rfc5424micro")
    authorities, certificate, key = (options.get(name, "") for name in TLS_FILES)
    return SyslogTarget(
        protocol=protocol,
        address=address,
        port=port,
        facility=_parse_facility(options.get("syslog-facility", "daemon")),
        format=form,
        tag=_render_tag(options.get("tag", ""), record),
        tls_files=(authorities, certificate, key),
        verifies=options.get("syslog-tls-skip-verify", "").lower() not in ("1", "t", "true"),
    )


def _parse_address(text: str) -> tuple[str, str, int]:
    if not text:
        path = next((path for path in LOCAL_SOCKETS if Path(path).exists()), LOCAL_SOCKETS[0])
        return "unixgram", path, 0
    error = SyslogOptionInvalid(
        "syslog-address", text, "an address such as udp://127.0.0.1:514 or unix:///dev/log"
    )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise error from None
    if parts.scheme in ("unix", "unixgram") and parts.path.startswith("/"):
        return parts.scheme, parts.path, 0
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise error
    return parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme]


def _parse_facility(text: str) -> int:
    if text in FACILITIES[:12] + FACILITIES[16:]:
        return FACILITIES.index(text)
    if text.isascii() and text.isdecimal() and int(text[:3]) < len(FACILITIES):
        return int(text[:3])
    raise SyslogOptionInvalid("syslog-facility", text, "a facility such as daemon or local0")


def _render_tag(template: str, record: Record) -> str:
    image_id = record.image_id.rpartition(":")[2]
    fields = {
        "ID": record.id[:SHORT_ID],
        "FullID": record.id,
        "Name": record.name,
        "ImageID": image_id[:SHORT_ID],
        "ImageFullID": record.image_id,
        "ImageName": record.image,
        "DaemonName": "cntnr",
    }
    tag = TAG_FIELD.sub(
        lambda match: fields.get(match.group(1), match.group(0)), template or DEFAULT_TAG
    )
    if "{{" in tag:
        raise SyslogOptionInvalid("tag", template, f"made of {', '.join(fields)}")
    return tag


def format_messages(line: LogLine, target: SyslogTarget) -> list[bytes]:
    """Format a line as messages: one, or more where it is very long."""
    head = _format_head(line, target).encode()
    text = line.text
    pieces = [text[start : start + MAX_TEXT] for start in range(0, len(text), MAX_TEXT)] or [b""]
    return [head + piece + b"\n" for piece in pieces]


def _format_head(line: LogLine, target: SyslogTarget) -> str:
    priority = 8 * target.facility + SEVERITIES.get(line.stream, SEVERITIES["stdout"])
    seconds, nanoseconds = line.timestamp
    moment = time.localtime(seconds)
    host, pid, tag = os.uname().nodename, os.getpid(), target.tag
    if target.format.startswith("rfc5424"):
        fraction = f".{nanoseconds.decode()[:6]}" if target.format.endswith("micro") else ""
        zone = time.strftime("%z", moment)
        when = f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}{fraction}{zone[:3]}:{zone[3:]}"
        return f"<{priority}>1 {when} {host} {tag} {pid} {tag} - "
    when = time.strftime("%b %e %H:%M:%S", moment)
    place = f"{host} " if target.format else ""
    return f"<{priority}>{when} {place}{tag}[{pid}]: "


class SyslogConnection:
    """A connection to a syslog server."""

    def __init__(
        self, writer: asyncio.StreamWriter | None = None, datagrams: socket.socket | None = None
    ) -> None:
        self._writer = writer
        self._datagrams = datagrams

    @classmethod
    async def connect(cls, target: SyslogTarget) -> "SyslogConnection":
        """Connect. Raises OSError, also for what takes too long."""
        async with asyncio.timeout(CONNECT_TIMEOUT):
            if target.is_datagram:
                return cls(datagrams=await _connect_datagrams(target))
            if target.protocol == "unix":
                path = str(holder.host_path(Path(target.address)))
                return cls((await asyncio.open_unix_connection(path))[1])
            context = _tls_context(target) if target.protocol == "tcp+tls" else None
            opened = await asyncio.open_connection(target.address, target.port, ssl=context)
            return cls(opened[1])

    async def send(self, message: bytes) -> None:
        """Send one message. Raises OSError."""
        if self._datagrams is not None:
            await asyncio.get_running_loop().sock_sendall(self._datagrams, message)
        if self._writer is not None:
            self._writer.write(message)
            await self._writer.drain()

    def close(self) -> None:
        """Close the connection; what was sent still arrives."""
        if self._datagrams is not None:
            self._datagrams.close()
        if self._writer is not None:
            self._writer.close()


async def _connect_datagrams(target: SyslogTarget) -> socket.socket:
    loop = asyncio.get_running_loop()
    if target.protocol == "unixgram":
        family, address = socket.AF_UNIX, str(holder.host_path(Path(target.address)))
        return await _connect_socket(family, address)
    resolved = await loop.getaddrinfo(target.address, target.port, type=socket.SOCK_DGRAM)
    return await _connect_socket(resolved[0][0], resolved[0][4])


async def _connect_socket(family: int, address: object) -> socket.socket:
    datagrams = socket.socket(
        family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    )
    try:
        datagrams.connect(address)  # type: ignore[arg-type]  # of the form that the family has
    except BaseException:
        datagrams.close()
        raise
    return datagrams


def _tls_context(target: SyslogTarget) -> "ssl.SSLContext":
    import ssl

    authorities, certificate, key = (
        str(holder.host_path(Path(name))) if name else None for name in target.tls_files
    )
    context = ssl.create_default_context(cafile=authorities)
    if not target.verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, key)
    return context
