"""Define networks that belong to no project: those created by hand, and docker's default network."""

import contextlib
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.names import DEFAULT_NETWORK
from cntnr_compose.host import files
from cntnr_compose.model.project import Network
from cntnr_compose.networks import address_claims, bridge_plan, records
from cntnr_compose.networks.records import ManagedNetwork


def define_network(
    network: Network, claims_lock: Path | None, folder: Path | None = None
) -> ManagedNetwork | None:
    """Define a network; its bridge is created when a container needs it. None where there is one of the name.

    ``claims_lock`` is the lock of addresses and ``folder`` that of records, for callers outside the holder;
    without a holder there are none. Raises as `bridge_plan.plan_network`, `HomeNotWritable`.
    """
    with contextlib.ExitStack() as locks:
        locks.enter_context(files.file_lock(paths.make_data_folder(paths.networks()) / ".lock"))
        if claims_lock is not None and claims_lock.parent.is_dir():  # else no network has a bridge
            locks.enter_context(files.file_lock(claims_lock))
        others = records.list_all(folder)
        if any(other.found.name == network.name for other in others):
            return None
        planned = bridge_plan.plan_network(network, "", "", network.labels, others)
        records.write_defined(planned)
    return planned


def define_default_network() -> None:
    """Define docker's default network, unless that has been done. Runs inside the holder.

    Raises as `define_network`.
    """
    if records.find_defined(DEFAULT_NETWORK) is None:
        network = Network(key=DEFAULT_NETWORK, name=DEFAULT_NETWORK)
        define_network(network, address_claims.lock_file())
