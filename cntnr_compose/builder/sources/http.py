"""Download files by HTTP, and keep them for the next build."""

import contextlib
import os
from pathlib import Path

from cntnr_compose.builder.dockerfile.steps import short_hash
from cntnr_compose.builder.dockerfile.values.git_url import without_password
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value
from cntnr_compose.host import files
from cntnr_compose.images import leases
from cntnr_compose.images.layout import digest_of_file

CHUNK = 1 << 20
READ_TIMEOUT = 60.0  # seconds without a byte
NOT_MODIFIED = 304


class DownloadFailed(CntnrError):
    """A URL of ADD cannot be downloaded."""

    hint = "check the address, and whether this machine needs a proxy (HTTPS_PROXY)"

    def __init__(self, where: str, url: str, why: str) -> None:
        super().__init__(f"{where}: cannot download {without_password(url)}: {why}")


class HttpValidators(Value, frozen=True, kw_only=True):
    """ETag and Last-Modified of a file, so that the server sends it again only when it has changed."""

    etag: str = ""
    modified: str = ""


def fetch_url(url: str, where: str, checksum: str = "") -> Path:
    """Return the file of a URL; download it where it is missing or has changed. Raises `DownloadFailed`."""
    import urllib.error

    name = short_hash(url.encode())
    path = paths.make_data_folder(paths.builds() / "downloads") / name
    validators_path = path.with_suffix(".json")
    with leases.hold_off(paths.images()):
        leases.mark_used(validators_path)  # the time of the file itself is that of its content
        known = files.read_value(validators_path, HttpValidators) if path.exists() else None
    if checksum and path.exists() and checksum == digest_of_file(path):
        return path
    temporary = path.with_name(f".{name}.{os.getpid()}")
    try:
        validators = _download(url, known or HttpValidators(), temporary)
        temporary.replace(path)
        files.write_value(validators_path, validators)
    except urllib.error.HTTPError as error:
        if error.code != NOT_MODIFIED:
            why = f"the server answers {error.code} {error.reason}"
            raise DownloadFailed(where, url, why) from error
    except (OSError, ValueError) as error:
        raise DownloadFailed(where, url, str(getattr(error, "reason", error))) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _download(url: str, known: HttpValidators, target: Path) -> HttpValidators:
    """Write what the server sends, with its modification time; "not modified" is an `HTTPError`, too."""
    import urllib.request
    from email.utils import parsedate_to_datetime

    request = urllib.request.Request(url, headers={"User-Agent": "cntnr"})  # noqa: S310 - http or https
    if known.etag:
        request.add_header("If-None-Match", known.etag)
    elif known.modified:
        request.add_header("If-Modified-Since", known.modified)
    with urllib.request.urlopen(request, timeout=READ_TIMEOUT) as answer, target.open("wb") as out:  # noqa: S310
        while block := answer.read(CHUNK):
            out.write(block)
        headers = answer.headers
    modified, modified_at = headers.get("Last-Modified", ""), 0.0
    with contextlib.suppress(ValueError):
        modified_at = parsedate_to_datetime(modified).timestamp()
    os.utime(
        target, (modified_at, modified_at)
    )  # as BuildKit: without a time it is the first of all
    return HttpValidators(etag=headers.get("ETag", ""), modified=modified)
