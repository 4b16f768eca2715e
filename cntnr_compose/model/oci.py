"""Parts of an OCI image layout: descriptors, index, manifest."""

from typing import Any

from cntnr_compose.core.values import Value, field

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


class Descriptor(Value, frozen=True, kw_only=True):
    """An OCI descriptor: media type, digest and size of a blob."""

    media_type: str = field(name="mediaType")
    digest: str
    size: int
    annotations: dict[str, str] = field(default_factory=dict)
    platform: dict[str, Any] = field(default_factory=dict)  # in an index of several platforms


class Index(Value, frozen=True, kw_only=True, omit_defaults=False):
    """``index.json`` of a layout."""

    version: int = field(default=2, name="schemaVersion")
    manifests: tuple[Descriptor, ...] = ()


class Manifest(Value, frozen=True, kw_only=True, omit_defaults=False):
    """An OCI image manifest."""

    version: int = field(default=2, name="schemaVersion")
    media_type: str = field(default=MANIFEST, name="mediaType")
    config: Descriptor
    layers: tuple[Descriptor, ...] = ()
