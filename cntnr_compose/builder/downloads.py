"""ADD of a URL: what is behind it is fetched by the command, on the host's network, and kept."""

import contextlib
import os
from pathlib import Path

from cntnr_compose.builder.dockerfile.steps import BuildStep, CopyStep, short_hash
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.walker import StageState, StageWalker, StepResult
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, replace
from cntnr_compose.host import files
from cntnr_compose.images.store import digest_of_file

CHUNK = 1 << 20
READ_TIMEOUT = 60.0  # seconds without a byte
NOT_MODIFIED = 304


class DownloadFailed(CntnrError):
    """A URL that ADD names does not give a file."""

    hint = "check the address, and whether this machine needs a proxy (HTTPS_PROXY)"

    def __init__(self, where: str, url: str, why: str) -> None:
        super().__init__(f"{where}: cannot download {url}: {why}")


class HttpValidators(Value, frozen=True, kw_only=True):
    """What the server said about a file, so that it is sent again only when it has changed."""

    etag: str = ""
    modified: str = ""


def fetch_downloads(request: BuildRequest) -> BuildRequest:
    """Fetch all that a build adds from URLs. Raises `DownloadFailed`, `DockerfileInvalid`."""
    if "://" not in request.text:
        return request
    listed = _UrlCollector()
    StageWalker(request, listed).walk_target()
    found = {url: str(_fetch(url, *asked)) for url, asked in listed.urls.items()}
    return replace(request, downloads=found)


class _UrlCollector:
    """A kitchen that does nothing but note the URLs."""

    def __init__(self) -> None:
        self.urls: dict[str, tuple[str, str]] = {}

    def tell(self, title: str, text: str) -> None:
        """Say nothing."""

    def content(self, work: BuildStep, where: str, _origins: dict[str, StageState]) -> str:
        """Note what a step downloads."""
        if isinstance(work, CopyStep):
            self.urls.update((url, (where, work.checksum)) for url in work.urls)
        return ""

    def make(
        self,
        _key: str,
        _work: BuildStep,
        _point: StageState,
        _where: str,
        _origins: dict[str, StageState],
    ) -> StepResult:
        """Make nothing."""
        return StepResult()


def _fetch(url: str, where: str, checksum: str) -> Path:
    """Give the file behind a URL, downloaded where we do not have it as it is now."""
    import urllib.error

    name = short_hash(url.encode())
    place = paths.make_data_folder(paths.builds() / "downloads") / name
    note = place.with_suffix(".json")
    seen = files.read_value(note, HttpValidators) if place.exists() else None
    if checksum and place.exists() and checksum == digest_of_file(place):
        return place
    draft = place.with_name(f".{name}.{os.getpid()}")
    try:
        told = _download(url, seen or HttpValidators(), draft)
        draft.replace(place)
        files.write_value(note, told)
    except urllib.error.HTTPError as error:
        if error.code != NOT_MODIFIED:
            why = f"the server answers {error.code} {error.reason}"
            raise DownloadFailed(where, url, why) from error
    except (OSError, ValueError) as error:
        raise DownloadFailed(where, url, str(getattr(error, "reason", error))) from error
    finally:
        draft.unlink(missing_ok=True)
    return place


def _download(url: str, seen: HttpValidators, draft: Path) -> HttpValidators:
    """Write what the server sends, with the server's time; an `HTTPError` also says "not modified"."""
    import urllib.request
    from email.utils import parsedate_to_datetime

    asked = urllib.request.Request(url, headers={"User-Agent": "cntnr"})  # noqa: S310 - http or https
    if seen.etag:
        asked.add_header("If-None-Match", seen.etag)
    elif seen.modified:
        asked.add_header("If-Modified-Since", seen.modified)
    with urllib.request.urlopen(asked, timeout=READ_TIMEOUT) as answer, draft.open("wb") as out:  # noqa: S310
        while block := answer.read(CHUNK):
            out.write(block)
        headers = answer.headers
    modified = headers.get("Last-Modified", "")
    if modified:
        with contextlib.suppress(ValueError):
            moment = parsedate_to_datetime(modified).timestamp()
            os.utime(draft, (moment, moment))
    return HttpValidators(etag=headers.get("ETag", ""), modified=modified)
