"""Turn what skopeo prints when it fails into errors with a clear sentence."""

import re
from collections.abc import Callable

from cntnr_compose.images.errors import (
    AuthenticationNeeded,
    CopyFailed,
    DaemonDown,
    ImageError,
    ImageFileMissing,
    ImageNotFound,
    LayerCorrupt,
    NoSpace,
    PlatformMissing,
    RegistryDown,
    RegistryRefused,
    RegistryUntrusted,
)

INTERRUPTED = "interrupted"

ERROR_PATTERNS: tuple[tuple[str, Callable[[str, str], ImageError]], ...] = (
    (r"no space left on device|disk quota exceeded", NoSpace),
    (r"no image found in (manifest list|image index)", PlatformMissing),
    (
        r"toomanyrequests|too many requests|\b429\b|received unexpected HTTP status: 5\d\d",
        RegistryRefused,
    ),
    (r"Docker daemon|docker engine|docker\.sock", DaemonDown),
    (r"x509:|server gave HTTP response to HTTPS client|tls: ", RegistryUntrusted),
    (
        r"manifest unknown|name unknown|\b404\b|requested access to the resource is denied",
        ImageNotFound,
    ),
    (r"no descriptor found for reference|reference \S+ not found|Tag \S+ not found", ImageNotFound),
    (r"No such image|does not resolve to an image ID|identifier is not an image", ImageNotFound),
    (r"unauthorized|authentication required|invalid username/password", AuthenticationNeeded),
    (r"did not match|invalid checksum|gzip: invalid|unexpected EOF|corrupt|flate:", LayerCorrupt),
    (r"no such host|connection (refused|reset)|i/o timeout|no route to host", RegistryDown),
    (r"is unreachable|Temporary failure|deadline exceeded|Client.Timeout|EOF$", RegistryDown),
    (r"no such file or directory|not a directory", ImageFileMissing),
)


def parse_error(ref: str, stderr: str) -> ImageError:
    """Turn skopeo's error output for ``ref`` into an error with a clear sentence."""
    message = log_message(stderr)
    for pattern, error in ERROR_PATTERNS:
        if re.search(pattern, message, re.IGNORECASE):
            return error(ref, message.rsplit(": ", 1)[-1] if error is RegistryDown else message)
    return CopyFailed(ref, message)


def policy_reason(stderr: str) -> str | None:
    """Return why a policy refuses an image, '' where it refuses all of them; None where it does not."""
    message = log_message(stderr)
    match = re.search(r"Source image rejected: (.*)", message)
    if match is None:
        return None
    return "" if "is rejected by policy" in match[1] else match[1]


def log_message(stderr: str) -> str:
    """Extract the message from the last line of skopeo's log."""
    lines = [line for line in stderr.strip().splitlines() if line] or ["no message"]
    logged = re.search(r'msg="(.*)"$', lines[-1])
    return logged.group(1).replace('\\"', '"') if logged else lines[-1]
