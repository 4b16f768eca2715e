"""Prefixes of image names that skopeo reads beside registries, kept as written; and of remote files."""

TRANSPORTS = ("oci:", "oci-archive:", "docker-archive:", "dir:")
# Of web and git servers.
REMOTE_PREFIXES = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")
