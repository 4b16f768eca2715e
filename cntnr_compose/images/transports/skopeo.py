"""Drive skopeo, which copies images between registries, archives and OCI layouts."""

import contextlib
import os
import re
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cntnr_compose.core.values import Seconds
from cntnr_compose.host import process
from cntnr_compose.images.errors import (
    AuthenticationNeeded,
    CopyFailed,
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
from cntnr_compose.model import image_name

# The user's settings for registries, proxies and certificates have to reach skopeo.
PASSED_VARIABLES = (
    "REGISTRY_AUTH_FILE", "CONTAINERS_REGISTRIES_CONF", "DOCKER_CONFIG", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
MAX_THREADS = 8
WAIT_INTERVAL: Seconds = 0.2
_running_pids: set[int] = set()
_trusted_registries: set[str] = set()
_stopped = threading.Event()
INTERRUPTED = "interrupted"


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
    """Turn skopeo's error output for ``ref`` into an error with a clear sentence."""
    message = _log_message(stderr)
    for pattern, error in ERROR_PATTERNS:
        if re.search(pattern, message, re.IGNORECASE):
            return error(ref, message.rsplit(": ", 1)[-1] if error is RegistryDown else message)
    return CopyFailed(ref, message)


def with_transport(ref: str) -> str:
    """Add the transport to a full image name, as skopeo expects it."""
    return ref if image_name.transport(ref) else f"docker://{ref}"


def global_options(platform: str) -> list[str]:
    """Build ``skopeo`` and the options that stand before the subcommand."""
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
    """Build the command that copies an image into a layout with shared blobs.

    Read it from ``unpacked_ref`` where an archive was unpacked.
    """
    return [
        *global_options(platform), "copy", "--quiet",
        "--retry-times", "2",
        *_plain_http_option(ref, "--src-tls-verify=false"),
        "--dest-shared-blob-dir", str(blobs),
        with_transport(unpacked_ref or ref), f"oci:{layout}:image",
    ]  # fmt: skip


def config_argv(ref: str, *, platform: str = "") -> list[str]:
    """Build the command that prints an image's configuration, byte for byte."""
    tls = _plain_http_option(ref, "--tls-verify=false")
    return [*global_options(platform), "inspect", "--config", "--raw", *tls, with_transport(ref)]


def digest_argv(ref: str) -> list[str]:
    """Build the command that prints the digest of an image in its registry."""
    tls = _plain_http_option(ref, "--tls-verify=false")
    options = ["--no-tags", "--format", "{{.Digest}}"]
    return [*global_options(""), "inspect", *options, *tls, with_transport(ref)]


def push_argv(layout: Path, blobs: Path, ref: str, *, compression: str = "") -> list[str]:
    """Build the command that copies the image of a layout with shared blobs to a registry or an archive."""
    return [
        *global_options(""), "copy", "--quiet",
        "--retry-times", "2",
        *_plain_http_option(ref, "--dest-tls-verify=false"),
        *(["--dest-compress-format", compression] if compression else []),
        "--src-shared-blob-dir", str(blobs),
        f"oci:{layout}:image", with_transport(ref),
    ]  # fmt: skip


def artifact_argv(layout: Path, ref: str, *, insecure: bool = False) -> list[str]:
    """Build the command that copies what a layout has to a registry, byte for byte."""
    tls = _plain_http_option(ref, "--dest-tls-verify=false")
    return [
        *global_options(""), "copy", "--quiet", "--all", "--preserve-digests",
        "--retry-times", "2",
        *(["--dest-tls-verify=false"] if insecure else tls),
        f"oci:{layout}:image", with_transport(ref),
    ]  # fmt: skip


def copy_image(
    ref: str, layout: Path, blobs: Path, *, platform: str = "", unpacked_ref: str = ""
) -> None:
    """Copy an image into a layout with shared blobs. Raises `ImageError`."""
    _run(ref, copy_argv(ref, layout, blobs, platform=platform, unpacked_ref=unpacked_ref))


def push_image(layout: Path, blobs: Path, ref: str, *, compression: str = "") -> None:
    """Copy the image of a layout with shared blobs to a registry or an archive. Raises `ImageError`."""
    _run(ref, push_argv(layout, blobs, ref, compression=compression))


def push_artifact(layout: Path, ref: str, *, insecure: bool = False) -> None:
    """Copy what a layout has to a registry, byte for byte. Raises `ImageError`."""
    _run(ref, artifact_argv(layout, ref, insecure=insecure))


def read_config(ref: str, *, platform: str = "") -> bytes:
    """Read an image's configuration, byte for byte; empty where skopeo cannot read it."""
    status, out, _ = _call(config_argv(ref, platform=platform))
    return out if status == 0 else b""


def read_manifest(ref: str) -> bytes:
    """Read a manifest or an index from a registry, byte for byte. Raises `ImageError`."""
    tls = _plain_http_option(ref, "--tls-verify=false")
    argv = [*global_options(""), "inspect", "--raw", "--no-tags", *tls, with_transport(ref)]
    status, out, stderr = _call(argv)
    if status != 0:
        raise parse_error(ref, stderr.decode(errors="replace"))
    return out


def read_digest(ref: str) -> str:
    """Ask a registry for the digest of an image. Raises `ImageError`."""
    status, out, stderr = _call(digest_argv(ref))
    if status != 0:
        raise parse_error(ref, stderr.decode(errors="replace"))
    return out.decode().strip()


def environment() -> dict[str, str]:
    """Build the environment for skopeo."""
    return process.base_env(
        **{name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
    )


def trust_registries(hosts: Iterable[str]) -> None:
    """Allow plain HTTP, and certificates that are not checked, for registries of this process."""
    _trusted_registries.update(hosts)


def stop_all() -> None:
    """End every running skopeo and start none any more: the command was interrupted."""
    _stopped.set()
    for pid in tuple(_running_pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def is_stopped() -> bool:
    """Return whether `stop_all` was called."""
    return _stopped.is_set()


def run_in_threads(calls: list[Callable[[], None]], limit: int = 0) -> None:
    """Make calls, at most ``limit`` at once (0: `MAX_THREADS`); when interrupted, end every skopeo."""
    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor(min(limit or MAX_THREADS, max(1, len(calls)))) as pool:
        try:
            jobs = [pool.submit(call) for call in calls]
            # A wait without a timeout would miss a Ctrl-C that comes just before it.
            while wait(jobs, timeout=WAIT_INTERVAL).not_done:
                pass
            for job in jobs:
                job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise


def _run(ref: str, argv: Sequence[str]) -> None:
    """Run skopeo. Raises `ImageError`."""
    status, _, stderr = _call(argv)
    if status != 0:
        raise parse_error(ref, stderr.decode(errors="replace") if status > 0 else INTERRUPTED)


def _call(argv: Sequence[str]) -> tuple[int, bytes, bytes]:
    """Run skopeo so that `stop_all` can end it; return its status, output and error output."""
    if _stopped.is_set():
        return -signal.SIGTERM, b"", b""
    with (
        Path(os.devnull).open("rb") as null,
        os.fdopen(os.memfd_create("out"), "w+b") as out,
        os.fdopen(os.memfd_create("err"), "w+b") as err,
    ):
        running = process.popen(
            argv,
            env=environment(),
            stdin=null.fileno(),
            stdout=out.fileno(),
            stderr=err.fileno(),
        )
        _running_pids.add(running.pid)
        if _stopped.is_set():  # `stop_all` was called while this one was started
            running.terminate()
        try:
            status = running.wait()
        except BaseException:  # Ctrl-C: it has no terminal to hear of that
            running.terminate()
            running.wait()
            raise
        finally:
            _running_pids.discard(running.pid)
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def _plain_http_option(ref: str, option: str) -> list[str]:
    """Return ``option`` for registries on the loopback, as docker allows, and for `trust_registries`."""
    host = "" if image_name.transport(ref) else ref.partition("/")[0]
    is_loopback = re.fullmatch(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?", host)
    return [option] if is_loopback or host in _trusted_registries else []


def _log_message(stderr: str) -> str:
    """Extract the message from the last line of skopeo's log."""
    lines = [line for line in stderr.strip().splitlines() if line] or ["no message"]
    logged = re.search(r'msg="(.*)"$', lines[-1])
    return logged.group(1).replace('\\"', '"') if logged else lines[-1]


def _home() -> Path:
    return Path(os.environ.get("HOME") or "/")
