"""Prefixes of image names that skopeo reads beside registries, kept as written; and of remote files."""

TRANSPORTS = ("oci:", "oci-archive:", "docker-archive:", "dir:")
OCI_PREFIX = "oci://"  # of projects that were published
# Of web and git servers.
REMOTE_PREFIXES = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")
