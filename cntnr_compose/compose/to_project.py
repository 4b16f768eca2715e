"""Make a `Project` of a decoded tree."""

from typing import Any

from cntnr_compose.compose.files.discovery import ProjectFiles
from cntnr_compose.compose.to_service import to_service
from cntnr_compose.core.values import Tree, replace
from cntnr_compose.model.project import AddressPool, FileSource, Network, Project, Volume
from cntnr_compose.model.service import NetworkAttachment, Service


def to_project(
    tree: Tree,
    disabled: Tree,
    values: dict[str, str],
    files: ProjectFiles,
    profiles: tuple[str, ...],
) -> Project:
    """Make a project of a decoded tree; ``values`` are those of variables in configs and secrets."""
    networks = {key: _network(key, one or {}) for key, one in tree.get("networks", {}).items()}
    return Project(
        name=tree["name"],
        working_dir=files.directory,
        files=files.files,
        env_files=files.env_files,
        services=_services(tree.get("services", {}), tree["name"], networks),
        disabled=_services(disabled, tree["name"], networks),
        networks=networks,
        volumes={key: _volume(key, one or {}) for key, one in tree.get("volumes", {}).items()},
        configs=_sources("configs", tree, values),
        secrets=_sources("secrets", tree, values),
        profiles=tuple(filter(None, profiles)),
        environment=files.environment,
    )


def _services(services: Tree, project: str, networks: dict[str, Network]) -> dict[str, Service]:
    return {
        name: _apply_network_mode(to_service(name, service), project, networks)
        for name, service in services.items()
    }


def _apply_network_mode(service: Service, project: str, networks: dict[str, Network]) -> Service:
    """Replace a ``network_mode`` that names a network by that network, and add it to the project's.

    Docker's default bridge, which all projects share, is a network of the project here.
    """
    mode = service.network_mode
    if mode in ("", "none", "host") or mode.startswith(("service:", "container:")):
        return service
    is_bridge = mode in ("bridge", "default")
    key = f"network_mode.{'bridge' if is_bridge else mode}"
    other_names = {one.name for one in networks.values() if one.key != key}
    name = f"{project}_bridge" if is_bridge else mode
    if is_bridge and name in other_names:
        name = f"{project}_{key}"
    networks[key] = Network(key=key, name=name, external=not is_bridge)
    return replace(service, network_mode="", networks={key: NetworkAttachment()})


def _network(key: str, tree: Tree) -> Network:
    ipam = tree.get("ipam", {})
    return Network(
        key=key,
        name=tree.get("name", ""),
        external=tree.get("external", False),
        driver=tree.get("driver", ""),
        driver_opts=tree.get("driver_opts", {}),
        internal=tree.get("internal", False),
        attachable=tree.get("attachable", False),
        enable_ipv4=tree.get("enable_ipv4", True),
        enable_ipv6=tree.get("enable_ipv6", False),
        labels=tree.get("labels", {}),
        ipam_driver=ipam.get("driver", ""),
        pools=tuple(_pool(one) for one in ipam.get("config", ())),
    )


def _pool(tree: Tree) -> AddressPool:
    return AddressPool(
        subnet=tree.get("subnet", ""),
        gateway=tree.get("gateway", ""),
        ip_range=tree.get("ip_range", ""),
        aux_addresses=tree.get("aux_addresses", {}),
    )


def _volume(key: str, tree: Tree) -> Volume:
    return Volume(
        key=key,
        name=tree.get("name", ""),
        external=tree.get("external", False),
        driver=tree.get("driver", ""),
        driver_opts=tree.get("driver_opts", {}),
        labels=tree.get("labels", {}),
    )


def _sources(section: str, tree: Tree, values: dict[str, str]) -> dict[str, FileSource]:
    resources: dict[str, Any] = tree.get(section, {})
    return {
        key: FileSource(
            key=key,
            name=resource.get("name", ""),
            file=resource.get("file", ""),
            content=values.get(f"{section}.{key}", resource.get("content")),
            environment=resource.get("environment", ""),
            external=resource.get("external", False),
        )
        for key, resource in ((key, one or {}) for key, one in resources.items())
    }
