"""`cntnr compose alpha generate`: print a compose file of existing containers."""

import sys
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, option
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container, Record

FORMATS = ("yaml", "json")
# What only means something in the file that the container is of.
LEFT_OUT = ("build", "depends_on", "links", "profiles", "env_file", "develop", "extends", "deploy")


class ContainersMissing(CntnrError):
    """Some names are of no container."""

    hint = "`cntnr compose ls -a` and `cntnr compose ps -a` list what there is"

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"no container(s) found with the following name(s): {', '.join(names)}")


class NoContainerNamed(CntnrError):
    """The command was called without a container."""

    hint = "name containers as `cntnr compose ps -a` lists them"

    def __init__(self) -> None:
        super().__init__("at least one container must be specified")


class NoSuchFormat(CntnrError):
    """A value of ``--format`` is not known."""

    hint = "it can be yaml or json"

    def __init__(self, form: str) -> None:
        super().__init__(f'unsupported format "{form}"')


@command("CONTAINER...")
@argument("containers", many=True, required=False, metavar="[CONTAINER...]")
@option("--format", "form", default="yaml", metavar="FORMAT", values=FORMATS, help="yaml or json.")
@option("--name", default="", metavar="NAME", help="Name of the project, written into the file.")
@option(
    "--project-dir",
    default="",
    metavar="DIRECTORY",
    help="Where the file is to stand: paths below it are written relative to it.",
)
def generate(
    _options: "ProjectOptions",
    containers: tuple[str, ...],
    form: str,
    name: str,
    project_dir: str,
) -> None:
    """Print a compose file that makes containers like the named ones.

    Containers are named as `cntnr compose ps` lists them, or by their ids; they may be of several projects.
    """
    from cntnr_compose.compose.render import output

    sys.stderr.write("generate command is EXPERIMENTAL\n")  # as docker compose says
    if not containers:
        raise NoContainerNamed
    if form not in FORMATS:
        raise NoSuchFormat(form)
    tree = compose_tree(find_containers(containers), project_dir)
    if name:
        tree = {"name": name, **tree}
    stdout.write(output.render_json(tree) if form == "json" else output.render_yaml(tree))


def find_containers(names: tuple[str, ...]) -> "list[Container]":
    """Find containers of all projects by name or the beginning of an id. Raises `ContainersMissing`."""
    from cntnr_compose.client.observe import read_containers
    from cntnr_compose.containers.state.plain_records import list_projects

    every = [container for project in list_projects() for container in read_containers(project)]
    selected, missing = [], []
    for name in names:
        matching = [it for it in every if it.name == name or it.record.id.startswith(name)]
        if matching:
            selected.append(next((it for it in matching if it.name == name), matching[0]))
        else:
            missing.append(name)
    if missing:
        raise ContainersMissing(missing)
    return list({container.record.id: container for container in selected}.values())


def compose_tree(containers: "list[Container]", directory: str) -> "dict[str, Any]":
    """Make the tree of a compose file; containers of one service are its replicas."""
    services: dict[str, Any] = {}
    networks: set[str] = set()
    volumes: set[str] = set()
    keys: dict[tuple[str, str], str] = {}
    for container in containers:
        record = container.record
        origin = (record.project, record.service)
        if origin in keys:
            services[keys[origin]]["scale"] += 1
            continue
        key = keys[origin] = record.service if record.service not in services else record.name
        services[key] = service_tree(record, directory)
        networks.update(record.networks.values())
        volumes.update(it["source"] for it in _volumes(services[key]) if it["type"] == "volume")
    sections = (("networks", networks), ("volumes", volumes))
    more = {
        section: {name: {"name": name} for name in sorted(names)}
        for section, names in sections
        if names
    }
    return {"services": services, **more}


def service_tree(record: "Record", directory: str) -> "dict[str, Any]":
    """Make the tree of a service that a container is like."""
    definition = record.definition
    tree = {key: value for key, value in definition.raw.items() if key not in LEFT_OUT}
    tree["image"] = record.image
    tree["scale"] = 1
    environment = {key: value for key, value in definition.environment.items() if value is not None}
    if environment:
        tree["environment"] = environment
    attached = definition.raw.get("networks") or {}
    if record.networks:
        tree["networks"] = {name: attached.get(key) for key, name in record.networks.items()}
    names = {mount.target: mount.source for mount in record.mounts if mount.type == "volume"}
    tree["volumes"] = [_volume(volume, names, directory) for volume in _volumes(tree)]
    if not tree["volumes"]:
        del tree["volumes"]
    for key in ("configs", "secrets"):  # their sources are in the file
        tree.pop(key, None)
    from cntnr_compose.compose.decode.keys import SERVICE_DECODERS

    return {key: tree[key] for key in SERVICE_DECODERS if key in tree}


def _volumes(tree: "dict[str, Any]") -> "list[dict[str, Any]]":
    return tree.get("volumes") or []


def _volume(volume: "dict[str, Any]", names: dict[str, str], directory: str) -> "dict[str, Any]":
    """Name a volume as it is called on the machine; write a path relative to a directory above it."""
    target, source = volume["target"], volume.get("source", "")
    if volume["type"] == "volume" and target in names:
        return volume | {"source": names[target]}
    above = f"{directory.rstrip('/')}/" if directory else ""
    if volume["type"] == "bind" and above and source.startswith(above):
        return volume | {"source": f"./{source.removeprefix(above)}"}
    return volume
