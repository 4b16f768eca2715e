"""Who has which address of a network, for as long as there is the container, whether it runs or not.

A claim is a file in the holder, ``claims/NETWORK/ADDRESS-ID``, made and moved under the lock of all
networks, so that projects on one network never choose the same. host-local's leases beside them say
which addresses work at the moment.
"""

import contextlib
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.names import safe_path_part
from cntnr_compose.core.values import Value
from cntnr_compose.host import files


class AddressClaim(Value, frozen=True, kw_only=True):
    """Who has an address."""

    project: str
    name: str
    rests: bool = False  # it does not run: others may have the address where none else is left


def lock_file() -> Path:
    """Give the lock of everything about networks and their addresses."""
    return paths.holder_tmpfs() / "networks/lock"


def _folder(network: str) -> Path:
    return paths.holder_tmpfs() / "claims" / safe_path_part(network, "network")


def _file(network: str, address: str, identity: str) -> Path:
    return _folder(network) / f"{address}-{identity}"


def list_claims(network: str) -> dict[str, str]:
    """Give the ids of containers by the addresses that they have on a network."""
    found = {}
    with contextlib.suppress(FileNotFoundError):
        for path in _folder(network).iterdir():
            address, dash, identity = path.name.partition("-")
            if dash and not address.startswith("."):  # else a file under way
                found[address] = identity
    return found


def read_claim(network: str, address: str, identity: str) -> AddressClaim | None:
    """Read a claim; None where it is gone."""
    return files.read_value(_file(network, address, identity), AddressClaim)


def write_claim(network: str, address: str, identity: str, claim: AddressClaim) -> None:
    """Let a container have an address."""
    _folder(network).mkdir(parents=True, exist_ok=True)
    files.write_value(_file(network, address, identity), claim)


def remove_claim(network: str, address: str, identity: str) -> None:
    """Let a container no longer have an address."""
    _file(network, address, identity).unlink(missing_ok=True)


def is_available(network: str, address: str, identity: str) -> bool:
    """Tell whether an address is of a container that does not run, or of none at all."""
    claim = read_claim(network, address, identity)
    if claim is None or claim.rests:
        return True
    return not (paths.container(claim.project, identity) / "record.json").exists()


def mark_stopped(network: str, identity: str) -> None:
    """Note that a container does not run any more; it keeps its address while there are others."""
    with files.file_lock(lock_file()):
        for address, claim in _claims_of(network, identity):
            files.write_value(
                _file(network, address, identity),
                AddressClaim(project=claim.project, name=claim.name, rests=True),
            )


def release_address(network: str, identity: str) -> None:
    """Let others have the address of a container that is gone."""
    with files.file_lock(lock_file()):
        for address, who in list_claims(network).items():
            if who == identity:
                remove_claim(network, address, identity)


def transfer_address(network: str, old: str, new: str) -> None:
    """Let a container have the address of the one that it replaces."""
    with files.file_lock(lock_file()):
        for address, who in list_claims(network).items():
            if who == old:
                _file(network, address, old).replace(_file(network, address, new))


def remove_network_claims(network: str) -> None:
    """Remove what is noted of a network that goes."""
    files.remove_tree(_folder(network))


def _claims_of(network: str, identity: str) -> list[tuple[str, AddressClaim]]:
    mine = [address for address, who in list_claims(network).items() if who == identity]
    read_ones = [(address, read_claim(network, address, identity)) for address in mine]
    return [(address, claim) for address, claim in read_ones if claim is not None]
