"""`cntnr compose config`: what the compose files mean, resolved and canonical."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import command, flag, option, services
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.core.values import Tree
    from cntnr_compose.model.service import Service


class UnknownForm(CntnrError):
    """A format was asked for that there is not."""

    hint = "it can be yaml or json"

    def __init__(self, form: str) -> None:
        super().__init__(f'unsupported format "{form}"')


class NothingToExplain(CntnrError):
    """`--explain` was given with an option that prints something else than the project."""

    hint = "leave the other option out"

    def __init__(self) -> None:
        super().__init__("--explain tells where the values of the whole project came from")


@command("[SERVICE...]")
@services
@option("--format", "form", default="", metavar="FORMAT", help="yaml or json.")
@flag("-q", "--quiet", text="Print nothing: only check the files.")
@option("-o", "--output", metavar="FILE", help="Write to a file.")
@flag("--services", "list_services", text="Print the names of services, one a line.")
@flag("--volumes", "list_volumes", text="Print the names of volumes, one a line.")
@flag("--networks", "list_networks", text="Print the names of networks, one a line.")
@flag("--models", "list_models", text="Print the names of models, one a line.")
@flag("--images", "list_images", text="Print the names of images, one a line.")
@flag("--profiles", "list_profiles", text="Print the names of profiles, one a line.")
@option("--hash", "hashed", default="", metavar="NAMES", help='Print hashes; "*" is all.')
@flag("--environment", "list_environment", text="Print what variables are replaced with.")
@flag("--variables", "list_variables", text="Print the variables that the files mention.")
@flag("--resolve-image-digests", "pinned", text="Name images by their digests.")
@flag("--lock-image-digests", "locked", text="Print only the images, by their digests.")
@flag("--explain", text="Tell the file and line that each value came from.")
@flag("--no-interpolate", text="Leave variables as they are.")
@flag("--no-normalize", text="Leave out what is not said.")
@flag("--no-path-resolution", "no_paths", text="Leave paths relative.")
@flag("--no-consistency", text="Do not check whether the parts go together.")
@flag("--no-env-resolution", "_no_env", text="Has no effect, as with docker compose.")
def config(scope: "ProjectOptions", services: tuple[str, ...], **given: Any) -> None:
    """Show what the files mean, resolved and canonical."""
    from cntnr_compose.compose.load import load

    if given["form"] not in ("", "yaml", "json"):
        raise UnknownForm(given["form"])
    chosen = next((name for name in LISTS if given[name]), "")
    wanted = services if chosen in ("", "list_images") else ()
    if given["explain"] and (chosen or given["pinned"] or given["locked"]):
        raise NothingToExplain
    request = scope.load_request(wanted).replace(
        interpolate=not given["no_interpolate"] and chosen != "list_variables",
        # The names that --compatibility is about are left out, as docker compose does here.
        normalize=not given["no_normalize"] and not scope.compatibility,
        resolve_paths=not given["no_paths"],
        consistency=not given["no_consistency"],
        resolve_environment=chosen in ("", "list_environment"),
        with_provenance=given["explain"],
    )
    loaded = load(request)
    scope.show_warnings(loaded.warnings)
    if wanted and request.interpolate:
        _select(loaded.tree, wanted, all_resources=request.all_resources)
    told = LISTS[chosen](loaded, given) if chosen else _whole(loaded, given, request.cwd)
    if chosen or not given["quiet"]:
        if given["output"]:
            out.write_file(told, given["output"])
        else:
            out.write(told)


def _select(tree: "Tree", services: tuple[str, ...], *, all_resources: bool) -> None:
    from cntnr_compose.compose import queries as inventory
    from cntnr_compose.compose.profiles import remove_unused_resources

    inventory.select_services(tree, services)
    if not all_resources:
        remove_unused_resources(tree)


def _whole(loaded: "LoadedProject", given: "Tree", cwd: str) -> str:
    from cntnr_compose.compose.render import output

    tree = loaded.tree
    if given["explain"]:
        return _explained(loaded, given, cwd)
    if given["no_interpolate"]:
        return (
            output.render_untyped_json(tree)
            if given["form"] == "json"
            else output.render_untyped_yaml(tree)
        )
    if given["pinned"] or given["locked"]:
        tree = _pinned(tree, only_images=given["locked"])
    return output.render_json(tree) if given["form"] == "json" else output.render_yaml(tree)


def _explained(loaded: "LoadedProject", given: "Tree", cwd: str) -> str:
    """Write the tree with a comment behind each value, or a list for programs."""
    from cntnr_compose.compose.render import explain, output
    from cntnr_compose.compose.yaml.writer import align_comments

    if given["form"] == "json":
        import json

        return json.dumps(explain.list_origins(loaded.tree, loaded.provenance), indent=2) + "\n"
    tree = explain.annotate_origins(loaded.tree, loaded.provenance, cwd)
    plain = given["no_interpolate"]
    return align_comments(output.render_untyped_yaml(tree) if plain else output.render_yaml(tree))


def _pinned(tree: "Tree", *, only_images: bool) -> "Tree":
    """Name images by their digests, as registries have them now."""
    from cntnr_compose.images import skopeo
    from cntnr_compose.model import image_name

    done = {}
    for name, service in tree["services"].items():
        image = service.get("image", "")
        if image and not image_name.transport(image) and not image_name.parse(image).digest:
            full = image_name.parse(image)
            image = f"{full.repository}:{full.tag}@{skopeo.read_digest(str(full))}"
        pinned = {"image": image} if image else {}
        done[name] = pinned if only_images else service | pinned
    return {"services": done} if only_images else tree | {"services": done}


def _names(section: str) -> "Callable[[LoadedProject, Tree], str]":
    def told(loaded: "LoadedProject", _given: "Tree") -> str:
        return _lines(sorted(loaded.tree.get(section) or ()))

    return told


def _lines(words: "list[str]") -> str:
    return "".join(f"{word}\n" for word in words)


def _services(loaded: "LoadedProject", _given: "Tree") -> str:
    from cntnr_compose.compose.queries import order_services

    return _lines(order_services(loaded.tree.get("services") or {}))


def _images(loaded: "LoadedProject", _given: "Tree") -> str:
    services = loaded.tree.get("services") or {}
    name = loaded.project.name
    return _lines([one.get("image") or f"{name}-{key}" for key, one in sorted(services.items())])


def _models(loaded: "LoadedProject", _given: "Tree") -> str:
    models = loaded.tree.get("models") or {}
    return _lines(sorted(one["model"] for one in models.values() if one.get("model")))


def _profiles(loaded: "LoadedProject", _given: "Tree") -> str:
    project = loaded.project
    every = (*project.services.values(), *project.disabled.values())
    return _lines(sorted({profile for one in every for profile in one.profiles}))


def _hashes(loaded: "LoadedProject", given: "Tree") -> str:
    from cntnr_compose.compose.queries import order_services
    from cntnr_compose.reconcile.config_hash import service_hash

    names = given["hashed"]
    project = loaded.project
    chosen: list[str] = sorted(
        order_services(loaded.tree.get("services") or {}) if names == "*" else names.split(",")
    )
    found: list[tuple[str, Service]] = [(name, project.service(name)) for name in chosen]
    return _lines([f"{name} {service_hash(one)}" for name, one in found])


def _environment(loaded: "LoadedProject", _given: "Tree") -> str:
    return _lines([f"{key}={value}" for key, value in sorted(loaded.project.environment.items())])


def _variables(loaded: "LoadedProject", given: "Tree") -> str:
    from cntnr_compose.compose.queries import collect_variables

    found = collect_variables(loaded.tree).values()
    if given["form"] == "json":
        import json

        return (
            json.dumps(
                {
                    one.name: {
                        "Name": one.name,
                        "DefaultValue": one.default,
                        "PresenceValue": one.alternate,
                        "Required": one.required,
                    }
                    for one in found
                },
                indent=4,
            )
            + "\n\n"
        )
    from cntnr_compose.cli.display.tables import format_table

    header = ("NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE")
    rows = [(one.name, str(one.required).lower(), one.default, one.alternate) for one in found]
    return _lines(format_table(header, rows))


LISTS: "dict[str, Callable[[LoadedProject, Tree], str]]" = {
    "list_services": _services,
    "list_volumes": _names("volumes"),
    "list_networks": _names("networks"),
    "list_models": _models,
    "hashed": _hashes,
    "list_profiles": _profiles,
    "list_images": _images,
    "list_variables": _variables,
    "list_environment": _environment,
}
