"""Image name prefixes of what skopeo reads beside registries; such names are kept as written."""

TRANSPORTS = ("oci:", "oci-archive:", "docker-archive:", "dir:")
