"""What there is of a container between `runc create` and its end: how it is made, and how it goes."""

import contextlib
import os
import signal
from collections.abc import Mapping

from cntnr_compose.adapters import cni, dnsmasq, kernel, process, runc, signals
from cntnr_compose.adapters.control import Tell
from cntnr_compose.core import paths
from cntnr_compose.core.events import Warned
from cntnr_compose.core.values import Value
from cntnr_compose.engine import bundle, etcfiles, logrotation, networks, publish
from cntnr_compose.engine.scene import Scene
from cntnr_compose.model.observed import Record


class Prepared(Value, frozen=True, kw_only=True):
    """A container whose program can start."""

    pid: int
    conmon: int
    addresses: dict[str, str]  # by network


async def make(scene: Scene, record: Record, tell: Tell) -> Prepared:
    """Lay a container out and create it. What breaks off is for `take_back`."""
    async with scene.workers:
        laid = await bundle.lay_out(scene, record)
        for line in laid.warnings:
            tell(Warned(text=line))
        pid, conmon = await _create(record, own_network=laid.own_network)
    addresses = {
        laid.interfaces[name]: answer.ips[0].address.partition("/")[0]
        for name, answer in cni.answers(paths.bundle(record.id)).items()
        if name in laid.interfaces
    }
    if addresses:
        etcfiles.write_hosts(record, addresses)
        add_names(scene, record, addresses)
    return Prepared(pid=pid, conmon=conmon, addresses=addresses)


async def _create(record: Record, *, own_network: bool) -> tuple[int, int]:
    service = record.definition
    logging = logrotation.settings(service.logging)
    launch = runc.Launch(
        id=record.id,
        name=record.name,
        bundle=str(paths.bundle(record.id)),
        log=str(paths.log(record.project, record.id)),
        tty=service.tty,
        stdin=service.stdin_open,
        own_network=own_network,
        log_driver=logging.driver,
        runtime=service.runtime or "runc",
    )
    try:
        return await runc.create(launch)
    except runc.ContainerFailed as error:
        why = cni.failure(paths.bundle(record.id))
        raise (runc.ContainerFailed(record.name, why) if why else error) from None


def add_names(scene: Scene, record: Record, addresses: Mapping[str, str]) -> None:
    """Let a container's names resolve on its networks."""
    names = etcfiles.names(scene, record)
    for network, address in addresses.items():
        dnsmasq.add_names(network, record.id, address, names[network])


async def take_back(scene: Scene, record: Record, addresses: Mapping[str, str]) -> None:
    """Remove what was made by half, wherever that broke off."""
    await runc.abandon(record.id)
    await clear(scene, record, addresses)


async def clear(scene: Scene, record: Record, addresses: Mapping[str, str]) -> None:
    """Remove all that was made, killing what still runs of it. What fails does not keep the rest."""
    identity = record.id
    async with contextlib.AsyncExitStack() as last_first:
        last_first.callback((runc.exits() / identity).unlink, missing_ok=True)
        last_first.callback(bundle.clear, record)
        last_first.callback(networks.release, identity, addresses)
        last_first.push_async_callback(_delete, scene, record)
        for network in record.networks.values():
            last_first.callback(dnsmasq.remove_names, network, identity)
        if record.definition.ports:
            # Asked for anew: who was killed or cancelled may have published more than he has noted.
            last_first.push_async_callback(_withdraw, addresses)


async def _withdraw(addresses: Mapping[str, str]) -> None:
    await publish.withdraw(await publish.found(addresses))


async def _delete(scene: Scene, record: Record) -> None:
    pid = runc.pid(record.id)
    if record.definition.pid:  # others' namespace: it does not end with the first process
        signals.kill_below(paths.bundle(record.id) / "rootfs")
    async with scene.workers:
        if pid and kernel.start_time(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await signals.gone(pid)
        await process.to_the_end(runc.delete(record.id))
