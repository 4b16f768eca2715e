"""What this machine allows its user, as far as keys of compose files hang on it.

It looks outside of the holder, starts nothing and changes nothing.
"""

import os
import shutil

from cntnr_compose.host import cgroups, kernel, process
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.model.host import HostCapabilities


def detect_capabilities() -> HostCapabilities:
    """Look once."""
    group = cgroups.find_delegated()
    is_root = os.getuid() == 0
    ids = min(kernel.count_subordinate_ids("uid"), kernel.count_subordinate_ids("gid"))
    return HostCapabilities(
        controllers=group.controllers if group else (),
        has_subordinate_ids=is_root or ids > 0,
        lowest_port=kernel.lowest_port(),
        platform=host_platform(),
        has_init=any(os.access(path, os.X_OK) for path in kernel.CONTAINER_INITS),
        has_domainname=shutil.which("domainname", path=process.SYSTEM_PATH) is not None,
    )
