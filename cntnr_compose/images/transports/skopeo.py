"""Drive skopeo, which copies images between registries, archives and OCI layouts."""

import contextlib
import os
import re
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.core.values import Seconds, Value, field, from_json
from cntnr_compose.host import process
from cntnr_compose.images.errors import PolicyRefused
from cntnr_compose.images.transports import policy as policies
from cntnr_compose.images.transports.policy import ACCEPT_ANYTHING, ImagePolicy
from cntnr_compose.images.transports.skopeo_errors import INTERRUPTED, parse_error, policy_reason
from cntnr_compose.model import image_name

# The user's settings for registries, proxies and certificates have to reach skopeo.
PASSED_VARIABLES = (
    "REGISTRY_AUTH_FILE", "CONTAINERS_REGISTRIES_CONF", "DOCKER_CONFIG", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "no_proxy",
    "GNUPGHOME", "CONTAINERS_STORAGE_CONF", "STORAGE_DRIVER", "STORAGE_OPTS",
)  # fmt: skip
MAX_THREADS = 8
WAIT_INTERVAL: Seconds = 0.2
_running_pids: set[int] = set()
_trusted_registries: set[str] = set()
_stopped = threading.Event()
_starting = threading.Lock()  # held from the look at `_stopped` until a new one can be ended


class RepositoryTags(Value, frozen=True, kw_only=True):
    """What skopeo prints of a repository."""

    tags: tuple[str, ...] = field(default=(), name="Tags")


def with_transport(ref: str) -> str:
    """Add the transport to a full image name, as skopeo expects it."""
    return ref if image_name.transport(ref) else f"docker://{ref}"


def global_options(platform: str, policy: Sequence[str] = ACCEPT_ANYTHING) -> list[str]:
    """Build ``skopeo`` and the options that stand before the subcommand.

    What is not pulled is our own, or is only looked at, and needs no policy.
    """
    words = ["skopeo", *policy]
    if platform:
        system, _, rest = platform.partition("/")
        machine, _, variant = rest.partition("/")
        words += ["--override-os", system] + (["--override-arch", machine] if machine else [])
        words += ["--override-variant", variant] if variant else []
    return words


def copy_argv(
    ref: str,
    target: Sequence[str],
    *,
    platform: str = "",
    unpacked_ref: str = "",
    policy: Sequence[str] = ACCEPT_ANYTHING,
) -> list[str]:
    """Build the command that copies an image to ``target``: a reference, with options before it.

    Read it from ``unpacked_ref`` where an archive was unpacked. Signatures stay behind: no layout has them.
    """
    source = with_transport(unpacked_ref or ref)
    return [
        *global_options(platform, policy), "copy", "--quiet", "--remove-signatures",
        "--retry-times", "2",
        *_plain_http_option(ref, "--src-tls-verify=false"),
        *_daemon_options(source, "--src"),
        *target[:-1],
        source, target[-1],
    ]  # fmt: skip


def layout_target(layout: Path, blobs: Path) -> list[str]:
    """Return a layout with shared blobs as the target of a copy.

    Layers that are not compressed become so: skopeo would keep them under a media type that says they were.
    """
    return ["--dest-shared-blob-dir", str(blobs), f"oci:{layout}:image"]


def config_argv(ref: str, *, platform: str = "") -> list[str]:
    """Build the command that prints an image's configuration, byte for byte."""
    options = [*_plain_http_option(ref, "--tls-verify=false"), *_daemon_options(ref, "")]
    return [
        *global_options(platform),
        "inspect",
        "--config",
        "--raw",
        *options,
        with_transport(ref),
    ]


def digest_argv(ref: str) -> list[str]:
    """Build the command that prints the digest of an image in its registry."""
    tls = _plain_http_option(ref, "--tls-verify=false")
    options = ["--no-tags", "--format", "{{.Digest}}"]
    return [*global_options(""), "inspect", *options, *tls, with_transport(ref)]


def export_argv(layout: Path, destination: str, *, compression: str = "") -> list[str]:
    """Build the command that copies the image of a layout to a registry, an archive or a daemon."""
    return [
        *global_options(""), "copy", "--quiet",
        "--retry-times", "2",
        *_plain_http_option(destination, "--dest-tls-verify=false"),
        *_daemon_options(destination, "--dest"),
        *(["--dest-compress-format", compression] if compression else []),
        f"oci:{layout}:image", with_transport(destination),
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
    ref: str,
    target: Sequence[str],
    *,
    platform: str = "",
    unpacked_ref: str = "",
    policy: ImagePolicy,
    policy_options: Sequence[str] = (),
) -> None:
    """Copy an image to a target, where a policy allows it. Raises `ImageError`."""
    argv = copy_argv(
        ref,
        target,
        platform=platform,
        unpacked_ref=unpacked_ref,
        policy=policy_options or policies.skopeo_options(policy),
    )
    status, _, stderr = _call(argv)
    if status == 0:
        return
    message = stderr.decode(errors="replace") if status > 0 else INTERRUPTED
    reason = policy_reason(message)
    raise parse_error(ref, message) if reason is None else PolicyRefused(ref, policy.name, reason)


def export_image(layout: Path, destination: str, *, compression: str = "") -> None:
    """Copy the image of a layout to where the reference says. Raises `ImageError`."""
    _run(destination, export_argv(layout, destination, compression=compression))


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


def list_tags(repository: str) -> tuple[str, ...]:
    """List the tags of a repository in its registry. Raises `ImageError`."""
    tls = _plain_http_option(repository, "--tls-verify=false")
    status, out, stderr = _call(
        [*global_options(""), "list-tags", *tls, with_transport(repository)]
    )
    if status != 0:
        raise parse_error(repository, stderr.decode(errors="replace"))
    return from_json(out, RepositoryTags).tags


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
    with _starting:
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
    with (
        Path(os.devnull).open("rb") as null,
        os.fdopen(os.memfd_create("out"), "w+b") as out,
        os.fdopen(os.memfd_create("err"), "w+b") as err,
    ):
        with uninterruptible(), _starting:
            if _stopped.is_set():
                return -signal.SIGTERM, b"", b""
            running = process.popen(
                argv,
                env=environment(),
                stdin=null.fileno(),
                stdout=out.fileno(),
                stderr=err.fileno(),
            )
            _running_pids.add(running.pid)
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


def _daemon_options(ref: str, side: str) -> list[str]:
    """Return which docker daemon is meant by ``docker-daemon:``: skopeo does not read DOCKER_HOST."""
    host = os.environ.get("DOCKER_HOST", "")
    if not host or not ref.startswith("docker-daemon:"):
        return []
    certificates = os.environ.get("DOCKER_CERT_PATH", "")
    options = [f"{side}-daemon-host" if side else "--daemon-host", host]
    if certificates:
        options += [f"{side}-cert-dir" if side else "--cert-dir", certificates]
    return options


def _plain_http_option(ref: str, option: str) -> list[str]:
    """Return ``option`` for registries on the loopback, as docker allows, and for `trust_registries`."""
    host = "" if image_name.transport(ref) else ref.partition("/")[0]
    is_loopback = re.fullmatch(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?", host)
    return [option] if is_loopback or host in _trusted_registries else []
