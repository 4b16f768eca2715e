"""skopeo: copies images between registries, archives and OCI layouts."""

import contextlib
import os
import re
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import process
from cntnr_compose.model import image_name

# What a user sets for registries, proxies and certificates has to reach skopeo.
PASSED_VARIABLES = (
    "REGISTRY_AUTH_FILE", "CONTAINERS_REGISTRIES_CONF", "DOCKER_CONFIG", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
_running_pids: set[int] = set()
_stopped = threading.Event()
INTERRUPTED = "interrupted"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"


class ImageError(CntnrError):
    """An image cannot be had; ``ref`` is its name."""

    def __init__(self, ref: str, why: str) -> None:
        self.ref = ref
        super().__init__(f"cannot get image {image_name.familiar(ref)}: {why}")


class ImageNotFound(ImageError):
    """The registry does not have it, or does not admit to it."""

    hint = "check the name and the tag; a private image needs a login (`skopeo login REGISTRY`)"

    def __init__(self, ref: str, _said: str = "") -> None:
        super().__init__(ref, "the registry has no such image, or does not show it to you")


class ImageFileMissing(ImageError):
    """A layout or archive on disk is not there."""

    hint = "check the path; relative paths start at the project's folder"

    def __init__(self, ref: str, said: str = "") -> None:
        super().__init__(ref, said)


class AuthenticationNeeded(ImageError):
    """The registry wants a login."""

    def __init__(self, ref: str, _said: str = "") -> None:
        host = _registry_host(ref)
        super().__init__(ref, f"{host} wants a login")
        self.hint = (
            f"log in with `skopeo login {host}`, or put credentials in ~/.docker/config.json"
        )


class RegistryDown(ImageError):
    """The registry does not answer."""

    def __init__(self, ref: str, said: str = "") -> None:
        super().__init__(ref, f"the registry {_registry_host(ref)} cannot be reached ({said})")
        self.hint = "check the network, or name a mirror in ~/.config/containers/registries.conf"


class RegistryRefused(ImageError):
    """The registry answers, but will not serve us now."""

    hint = "wait a while, log in, or use a mirror"

    def __init__(self, ref: str, said: str = "") -> None:
        super().__init__(ref, said)


class RegistryUntrusted(ImageError):
    """The registry speaks plain HTTP, or has a certificate that nobody vouches for."""

    def __init__(self, ref: str, said: str = "") -> None:
        super().__init__(ref, said)
        self.hint = (
            f"mark {_registry_host(ref)} as insecure in ~/.config/containers/registries.conf"
        )


class LayerCorrupt(ImageError):
    """A layer is not what its digest says, or cannot be unpacked."""

    hint = "pull it again; if that does not help, the image is broken in the registry"

    def __init__(self, ref: str, said: str = "") -> None:
        super().__init__(ref, f"a layer is damaged ({said})")


class PlatformMissing(ImageError):
    """The image does not exist for the platform."""

    hint = "set `platform:` to one that the image has"

    def __init__(self, ref: str, said: str = "") -> None:
        super().__init__(ref, said)


class NoSpace(ImageError):
    """The disk is full."""

    hint = paths.DiskFull.hint

    def __init__(self, ref: str, _said: str = "") -> None:
        super().__init__(ref, "no space left on the disk")


class CopyFailed(ImageError):
    """skopeo failed for a reason that we have no words for."""

    def __init__(self, ref: str, said: str = "") -> None:
        super().__init__(ref, said)


ERROR_PATTERNS: tuple[tuple[str, Callable[[str, str], ImageError]], ...] = (
    (r"no space left on device|disk quota exceeded", NoSpace),
    (r"no image found in (manifest list|image index)", PlatformMissing),
    (
        r"toomanyrequests|too many requests|\b429\b|received unexpected HTTP status: 5\d\d",
        RegistryRefused,
    ),
    (r"x509:|server gave HTTP response to HTTPS client|tls: ", RegistryUntrusted),
    (
        r"manifest unknown|name unknown|\b404\b|requested access to the resource is denied",
        ImageNotFound,
    ),
    (r"no descriptor found for reference|reference \S+ not found|Tag \S+ not found", ImageNotFound),
    (r"unauthorized|authentication required|invalid username/password", AuthenticationNeeded),
    (r"did not match|invalid checksum|gzip: invalid|unexpected EOF|corrupt|flate:", LayerCorrupt),
    (r"no such host|connection (refused|reset)|i/o timeout|no route to host", RegistryDown),
    (r"is unreachable|Temporary failure|deadline exceeded|Client.Timeout|EOF$", RegistryDown),
    (r"no such file or directory|not a directory", ImageFileMissing),
)


def parse_error(ref: str, stderr: str) -> ImageError:
    """Turn what skopeo said about ``ref`` into an error with a clear sentence."""
    said = _log_message(stderr)
    for pattern, error in ERROR_PATTERNS:
        if re.search(pattern, said, re.IGNORECASE):
            return error(ref, said.rsplit(": ", 1)[-1] if error is RegistryDown else said)
    return CopyFailed(ref, said)


def with_transport(ref: str) -> str:
    """Write a full name the way skopeo reads it."""
    return ref if image_name.transport(ref) else f"docker://{ref}"


def global_options(platform: str) -> list[str]:
    """Make the options that stand before the subcommand."""
    words = ["skopeo"]
    policies = (Path("/etc/containers/policy.json"), _home() / ".config/containers/policy.json")
    if not any(path.exists() for path in policies):
        words.append("--insecure-policy")  # without a policy file skopeo refuses to start
    if platform:
        system, _, rest = platform.partition("/")
        machine, _, variant = rest.partition("/")
        words += ["--override-os", system] + (["--override-arch", machine] if machine else [])
        words += ["--override-variant", variant] if variant else []
    return words


def copy_argv(
    ref: str, layout: Path, blobs: Path, *, platform: str = "", unpacked_ref: str = ""
) -> list[str]:
    """Make the command that copies an image into a layout whose blobs are shared.

    Where the image was ``unpacked``, it is read from there.
    """
    return [
        *global_options(platform), "copy", "--quiet",
        "--retry-times", "2",
        *_plain_http_option(ref, "--src-tls-verify=false"),
        "--dest-shared-blob-dir", str(blobs),
        with_transport(unpacked_ref or ref), f"oci:{layout}:image",
    ]  # fmt: skip


def config_argv(ref: str, *, platform: str = "") -> list[str]:
    """Make the command that prints an image's configuration, byte for byte."""
    tls = _plain_http_option(ref, "--tls-verify=false")
    return [*global_options(platform), "inspect", "--config", "--raw", *tls, with_transport(ref)]


def digest_argv(ref: str) -> list[str]:
    """Make the command that prints the digest by which a registry knows an image."""
    tls = _plain_http_option(ref, "--tls-verify=false")
    form = ["--no-tags", "--format", "{{.Digest}}"]
    return [*global_options(""), "inspect", *form, *tls, with_transport(ref)]


def push_argv(layout: Path, blobs: Path, ref: str) -> list[str]:
    """Make the command that copies the image of a layout with shared blobs to a registry."""
    return [
        *global_options(""), "copy", "--quiet",
        "--retry-times", "2",
        *_plain_http_option(ref, "--dest-tls-verify=false"),
        "--src-shared-blob-dir", str(blobs),
        f"oci:{layout}:image", with_transport(ref),
    ]  # fmt: skip


def copy_image(
    ref: str, layout: Path, blobs: Path, *, platform: str = "", unpacked_ref: str = ""
) -> None:
    """Copy an image into a layout whose blobs are shared; raise an `ImageError`."""
    _run(ref, copy_argv(ref, layout, blobs, platform=platform, unpacked_ref=unpacked_ref))


def push_image(layout: Path, blobs: Path, ref: str) -> None:
    """Copy the image of a layout with shared blobs to a registry; raise an `ImageError`."""
    _run(ref, push_argv(layout, blobs, ref))


def read_config(ref: str, *, platform: str = "") -> bytes:
    """Read an image's configuration as its maker wrote it; empty where that cannot be had."""
    status, out, _ = _call(config_argv(ref, platform=platform))
    return out if status == 0 else b""


def read_digest(ref: str) -> str:
    """Ask a registry for the digest of an image; raise an `ImageError`."""
    status, out, said = _call(digest_argv(ref))
    if status != 0:
        raise parse_error(ref, said.decode(errors="replace"))
    return out.decode().strip()


def environment() -> dict[str, str]:
    """Make the environment that skopeo runs in."""
    return process.base_env(
        **{name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
    )


def stop_all() -> None:
    """End every skopeo of ours and start none any more: the command was told to stop."""
    _stopped.set()
    for pid in tuple(_running_pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def is_stopped() -> bool:
    """Tell whether the command was told to stop."""
    return _stopped.is_set()


def _run(ref: str, argv: Sequence[str]) -> None:
    status, _, said = _call(argv)
    if status != 0:
        raise parse_error(ref, said.decode(errors="replace") if status > 0 else INTERRUPTED)


def _call(argv: Sequence[str]) -> tuple[int, bytes, bytes]:
    """Run skopeo so that `stop_all` can end it; give its status, output and errors."""
    if _stopped.is_set():
        return -signal.SIGTERM, b"", b""
    with (
        Path(os.devnull).open("rb") as nothing,
        os.fdopen(os.memfd_create("out"), "w+b") as out,
        os.fdopen(os.memfd_create("err"), "w+b") as err,
    ):
        running = process.popen(
            argv,
            env=environment(),
            stdin=nothing.fileno(),
            stdout=out.fileno(),
            stderr=err.fileno(),
        )
        _running_pids.add(running.pid)
        if _stopped.is_set():  # it was told so while this one was started
            running.terminate()
        try:
            status = running.wait()
        finally:
            _running_pids.discard(running.pid)
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def _registry_host(ref: str) -> str:
    return "this computer" if image_name.transport(ref) else ref.partition("/")[0]


def _plain_http_option(ref: str, option: str) -> list[str]:
    """Allow plain HTTP on the loopback, as docker does."""
    host = "" if image_name.transport(ref) else ref.partition("/")[0]
    local = re.fullmatch(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?", host)
    return [option] if local else []


def _log_message(stderr: str) -> str:
    """Take the message out of skopeo's log line."""
    lines = [line for line in stderr.strip().splitlines() if line] or ["no message"]
    found = re.search(r'msg="(.*)"$', lines[-1])
    return found.group(1).replace('\\"', '"') if found else lines[-1]


def _home() -> Path:
    return Path(os.environ.get("HOME") or "/")
