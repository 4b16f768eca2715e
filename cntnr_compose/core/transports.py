"""Prefixes of image names that skopeo reads beside registries, kept as written; and of remote files."""

# A path follows: of a layout, an archive or a folder.
PATH_TRANSPORTS = ("oci:", "oci-archive:", "docker-archive:", "dir:")
# An image's name follows: of a daemon's images, or of podman's.
NAME_TRANSPORTS = ("docker-daemon:", "containers-storage:")
TRANSPORTS = (*PATH_TRANSPORTS, *NAME_TRANSPORTS)
OCI_PREFIX = "oci://"  # of projects that were published
# Of web and git servers.
REMOTE_PREFIXES = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")
