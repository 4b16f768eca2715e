"""Ask a registry which layers an image has, before it is pulled."""

from cntnr_compose.core.values import Value, field, from_json
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.images.transports import skopeo
from cntnr_compose.model import image_name
from cntnr_compose.model.oci import MANIFEST, Descriptor


class RemoteManifest(Value, frozen=True, kw_only=True):
    """What a registry answers: a manifest, or an index with one for each platform."""

    media_type: str = field(default="", name="mediaType")
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()

    @property
    def is_oci(self) -> bool:
        """Check whether skopeo copies its configuration byte for byte."""
        return self.media_type == MANIFEST


def read_remote_manifest(ref: str, platform: str) -> RemoteManifest:
    """Read the manifest of an image for a platform; one without layers where it cannot be told.

    Raises `ImageError` where the registry does not serve it.
    """
    try:
        manifest = _read(ref)
        if manifest.manifests:
            own_platform = (platform or host_platform()).split("/")[:2]
            for entry in manifest.manifests:
                if [entry.platform.get("os"), entry.platform.get("architecture")] == own_platform:
                    return _read(f"{image_name.parse(ref).repository}@{entry.digest}")
    except ValueError:  # what it is, skopeo will tell
        return RemoteManifest()
    return RemoteManifest() if manifest.manifests else manifest


def _read(ref: str) -> RemoteManifest:
    """Read a manifest or an index. Raises `ImageError`, `ValueError`."""
    manifest = from_json(skopeo.read_manifest(ref), RemoteManifest)
    for descriptor in (*manifest.layers, *manifest.manifests):
        if not image_name.DIGEST.fullmatch(descriptor.digest) or descriptor.size < 0:
            raise ValueError(descriptor.digest)
    return manifest
