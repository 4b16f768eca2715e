"""Detect the capabilities of the host that keys of compose files depend on.

Looks from outside of the holder; starts no program and changes nothing.
"""

import os
import shutil

from cntnr_compose.core.user_config import read_user_config
from cntnr_compose.host import distribution, kernel, process
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.host.namespaces import subids
from cntnr_compose.host.systemd import scope
from cntnr_compose.model.host import DOCKER_SOCKETS, HostCapabilities


def detect_capabilities() -> HostCapabilities:
    """Detect what this host allows this user."""
    group = scope.find_group()
    return HostCapabilities(
        controllers=group.controllers if group else (),
        has_subordinate_ids=not subids.explain_one_id() or read_user_config().proot.enabled,
        lowest_port=kernel.lowest_port(),
        platform=host_platform(),
        has_init=bool(distribution.container_init()),
        has_domainname=shutil.which("domainname", path=process.SYSTEM_PATH) is not None,
        has_journal=distribution.has_journal(),
        has_docker=any(os.access(path, os.R_OK | os.W_OK) for path in DOCKER_SOCKETS),
    )
