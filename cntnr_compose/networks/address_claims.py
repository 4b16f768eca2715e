"""Address claims: which container has which address of a network, for as long as the container exists.

A claim is a file in the holder, ``claims/NETWORK/ADDRESS-ID``, created and moved under the lock of all
networks, so that two projects on one network never choose the same address. The leases of host-local,
beside them, are of the addresses in use.
"""

import contextlib
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.names import safe_path_part
from cntnr_compose.core.values import Value
from cntnr_compose.host import files


class AddressClaim(Value, frozen=True, kw_only=True):
    """The container that has an address."""

    project: str
    name: str
    rests: bool = (
        False  # it is stopped: another container may get the address where no other is left
    )


def lock_file() -> Path:
    """Return the lock of all records of networks and addresses."""
    return paths.holder_tmpfs() / "networks/lock"


def _folder(network: str) -> Path:
    return paths.holder_tmpfs() / "claims" / safe_path_part(network, "network")


def _file(network: str, address: str, identity: str) -> Path:
    return _folder(network) / f"{address}-{identity}"


def list_claims(network: str) -> dict[str, str]:
    """Return the ids of containers by the addresses that they have on a network."""
    owners = {}
    with contextlib.suppress(FileNotFoundError):
        for path in _folder(network).iterdir():
            address, dash, identity = path.name.partition("-")
            if dash and not address.startswith("."):  # else a file that is being written
                owners[address] = identity
    return owners


def read_claim(network: str, address: str, identity: str) -> AddressClaim | None:
    """Read a claim; None where it is gone."""
    return files.read_value(_file(network, address, identity), AddressClaim)


def write_claim(network: str, address: str, identity: str, claim: AddressClaim) -> None:
    """Record that a container has an address."""
    _folder(network).mkdir(parents=True, exist_ok=True)
    files.write_value(_file(network, address, identity), claim)


def remove_claim(network: str, address: str, identity: str) -> None:
    """Remove a claim; absent is fine."""
    _file(network, address, identity).unlink(missing_ok=True)


def is_available(network: str, address: str, identity: str) -> bool:
    """Check whether the container that claims an address is stopped or gone."""
    claim = read_claim(network, address, identity)
    if claim is None or claim.rests:
        return True
    return not (paths.container(claim.project, identity) / "record.json").exists()


def mark_stopped(network: str, identity: str) -> None:
    """Record that a container is stopped; it keeps its address as long as others are free."""
    with files.file_lock(lock_file()):
        for address in _addresses_of(network, identity):
            claim = read_claim(network, address, identity)
            if claim is not None:
                stopped = AddressClaim(project=claim.project, name=claim.name, rests=True)
                write_claim(network, address, identity, stopped)


def release_address(network: str, identity: str) -> None:
    """Remove the claims of a container that is gone."""
    with files.file_lock(lock_file()):
        for address in _addresses_of(network, identity):
            remove_claim(network, address, identity)


def transfer_address(network: str, old: str, new: str) -> None:
    """Move the claims of a container to the one that replaces it."""
    with files.file_lock(lock_file()):
        for address in _addresses_of(network, old):
            _file(network, address, old).replace(_file(network, address, new))


def remove_network_claims(network: str) -> None:
    """Remove all claims on a network."""
    files.remove_tree(_folder(network))


def _addresses_of(network: str, identity: str) -> list[str]:
    return [address for address, owner in list_claims(network).items() if owner == identity]
