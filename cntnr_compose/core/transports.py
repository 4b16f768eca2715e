"""What skopeo reads besides registries; such image names are kept as they are written, with whole paths."""

TRANSPORTS = ("oci:", "oci-archive:", "docker-archive:", "dir:")
