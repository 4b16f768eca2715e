"""skopeo: how it is called, and its words turned into ours."""

from pathlib import Path

import pytest

from cntnr_compose.images.errors import ImageError
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.policy import ImagePolicy
from tests.fakes.programs import Programs

TARGET = skopeo.layout_target(Path("/l"), Path("/b"))
REF = "docker.io/library/redis:7"
SAYS = 'time="2026-01-01T00:00:00Z" level=fatal msg="{}"'
WORDS = [
    ("reading manifest 7 in docker.io/library/redis: manifest unknown", "ImageNotFound"),
    (
        "pinging container registry x: dial tcp 127.0.0.1:1: connect: connection refused",
        "RegistryDown",
    ),
    ("unauthorized: authentication required", "AuthenticationNeeded"),
    ("writing blob: Digest did not match, expected sha256:a, got sha256:b", "LayerCorrupt"),
    ("Digest did not match, expected sha256:a404b, got sha256:c429d", "LayerCorrupt"),
    ("reading blob: received unexpected HTTP status: 404 Not Found", "ImageNotFound"),
    ("reading manifest: StatusCode: 429, slow down", "RegistryRefused"),
    ("write /x: no space left on device", "NoSpace"),
    ("toomanyrequests: slow down", "RegistryRefused"),
    ("http: server gave HTTP response to HTTPS client", "RegistryUntrusted"),
    ("no image found in manifest list for architecture s390x", "PlatformMissing"),
    ("something nobody has seen", "CopyFailed"),
]


@pytest.mark.parametrize(("stderr", "kind"), WORDS)
def test_what_skopeo_says_is_put_into_words(programs: Programs, stderr: str, kind: str) -> None:
    programs.add("skopeo", f"echo '{SAYS.format(stderr)}' >&2; exit 1")
    with pytest.raises(ImageError, match="cannot get image redis:7") as caught:
        skopeo.copy_image(REF, TARGET, policy=ImagePolicy())
    assert caught.value.kind == kind
    assert caught.value.exit_code == 1


def test_a_registry_on_this_machine_may_speak_plainly(programs: Programs) -> None:
    programs.add("skopeo")
    skopeo.copy_image("localhost:5000/app:1", TARGET, policy=ImagePolicy())
    skopeo.copy_image(REF, TARGET, policy=ImagePolicy())
    plain, safe = programs.calls("skopeo")
    assert "--src-tls-verify=false" in plain
    assert "--src-tls-verify=false" not in safe
    assert plain[-2:] == ["docker://localhost:5000/app:1", "oci:/l:image"]


def test_a_platform_is_asked_for_by_its_parts(programs: Programs) -> None:
    programs.add("skopeo")
    skopeo.copy_image(REF, TARGET, policy=ImagePolicy(), platform="linux/arm/v7")
    call = programs.calls("skopeo")[0]
    assert call[call.index("--override-variant") + 1] == "v7"
    assert call[call.index("--override-arch") + 1] == "arm"


def test_the_makers_configuration_is_read_byte_for_byte(programs: Programs) -> None:
    programs.add("skopeo", "printf '{\"a\":  1}'")
    assert skopeo.read_config(REF) == b'{"a":  1}'
    programs.add("skopeo", "exit 1")
    assert skopeo.read_config(REF) == b""
