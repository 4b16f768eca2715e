"""Prefixes of what is named by more than a path: images that skopeo reads beside registries, remote files.

Such image names are kept as they are written, with whole paths.
"""

TRANSPORTS = ("oci:", "oci-archive:", "docker-archive:", "dir:")
REMOTE_PREFIXES = (
    "http://",
    "https://",
    "git://",
    "ssh://",
    "git@",
    "github.com/",
)  # web and git servers
