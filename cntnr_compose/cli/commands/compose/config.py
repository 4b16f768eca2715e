"""`cntnr compose config`: print the project of the compose files, resolved and canonical."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag, option, services
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.core.values import Tree
    from cntnr_compose.model.project import Project


class UnknownForm(CntnrError):
    """A value of ``--format`` is not known."""

    hint = "it can be yaml or json"

    def __init__(self, form: str) -> None:
        super().__init__(f'unsupported format "{form}"')


class NothingToExplain(CntnrError):
    """`--explain` stands beside an option that prints something else than the project."""

    hint = "leave the other option out"

    def __init__(self) -> None:
        super().__init__("--explain tells where the values of the whole project came from")


@command("[SERVICE...]")
@services
@option(
    "--format", "form", default="", metavar="FORMAT", values=("yaml", "json"), help="yaml or json."
)
@flag("-q", "--quiet", help="Print nothing: only check the files.")
@option("-o", "--output", metavar="FILE", help="Write to a file.")
@flag("--services", "list_services", help="Print the names of services, one a line.")
@flag("--volumes", "list_volumes", help="Print the names of volumes, one a line.")
@flag("--networks", "list_networks", help="Print the names of networks, one a line.")
@flag("--models", "list_models", help="Print the names of models, one a line.")
@flag("--images", "list_images", help="Print the names of images, one a line.")
@flag("--profiles", "list_profiles", help="Print the names of profiles, one a line.")
@option(
    "--hash",
    "hashed",
    default="",
    metavar="NAMES",
    help='Print the configuration hashes of services; "*" is all.',
)
@flag("--environment", "list_environment", help="Print what variables are replaced with.")
@flag("--variables", "list_variables", help="Print the variables that the files mention.")
@flag("--resolve-image-digests", "pinned", help="Name images by their digests.")
@flag("--lock-image-digests", "locked", help="Print only the images, by their digests.")
@flag("--explain", help="Tell the file and line that each value came from.")
@flag("--no-interpolate", help="Leave variables as they are.")
@flag("--no-normalize", help="Do not fill in defaults.")
@flag("--no-path-resolution", "no_paths", help="Leave paths relative.")
@flag("--no-consistency", help="Do not check whether the parts go together.")
@flag("--no-env-resolution", "no_env", help="Leave env files out of --hash.")
def config(options: "ProjectOptions", services: tuple[str, ...], **values: Any) -> None:
    """Print what the compose files mean: merged, with variables replaced, in long syntax.

    With SERVICE only those and what they need. It also checks the files: `-q` does nothing else.

        cntnr compose config --services
        cntnr compose config --format json
    """
    from cntnr_compose.compose.load import load

    if values["form"] not in ("", "yaml", "json"):
        raise UnknownForm(values["form"])
    listing = next((name for name in LISTINGS if values[name]), "")
    selected = services if listing in ("", "list_images") else ()
    if values["explain"] and (listing or values["pinned"] or values["locked"]):
        raise NothingToExplain
    request = options.load_request(selected).replace(
        interpolate=not values["no_interpolate"] and listing != "list_variables",
        # Names as --compatibility wants them are missing in the output of docker compose, too.
        normalize=not values["no_normalize"] and not options.compatibility,
        resolve_paths=not values["no_paths"],
        consistency=not values["no_consistency"],
        resolve_environment=_resolves_environment(listing, no_env=values["no_env"]),
        tolerate_missing_env_files=listing == "hashed",
        with_provenance=values["explain"],
    )
    loaded = load(request)
    values["all_resources"] = request.all_resources
    options.show_warnings(loaded.warnings)
    if selected and request.interpolate:
        _select(loaded.tree, selected, all_resources=request.all_resources)
    list_names = LISTINGS.get(listing)
    text = list_names(loaded, values) if list_names else _render(loaded, values, request.cwd)
    if listing or not values["quiet"]:
        if values["output"]:
            stdout.write_file(text, values["output"])
        else:
            stdout.write(text)


def _resolves_environment(listing: str, *, no_env: bool) -> bool:
    """Tell whether env files are read: for output that has the environment of services in it.

    Of the whole project docker compose prints it all the same; its hash was without, up to version 5.3.
    """
    return listing in ("", "list_environment") or (listing == "hashed" and not no_env)


def _select(tree: "Tree", services: tuple[str, ...], *, all_resources: bool) -> None:
    from cntnr_compose.compose.profiles import remove_unused_resources
    from cntnr_compose.compose.queries import select_services

    select_services(tree, services)
    if not all_resources:
        remove_unused_resources(tree)


def _render(loaded: "LoadedProject", values: "Tree", cwd: str) -> str:
    from cntnr_compose.compose.render import output

    tree, as_json = loaded.tree, values["form"] == "json"
    if values["explain"]:
        return _render_explained(loaded, values, cwd)
    if values["no_interpolate"]:
        return output.render_untyped_json(tree) if as_json else output.render_untyped_yaml(tree)
    if values["pinned"] or values["locked"]:
        from cntnr_compose.cli.flows.images.pinned_images import pin_images

        tree = pin_images(tree, only_images=values["locked"])
    return output.render_json(tree) if as_json else output.render_yaml(tree)


def _render_explained(loaded: "LoadedProject", values: "Tree", cwd: str) -> str:
    """Render the tree with the origin of each value as a comment, or a JSON list of origins."""
    from cntnr_compose.compose.render import explain, output
    from cntnr_compose.compose.yaml.writer import align_comments

    if values["form"] == "json":
        import json

        return json.dumps(explain.list_origins(loaded.tree, loaded.provenance), indent=2) + "\n"
    tree = explain.annotate_origins(loaded.tree, loaded.provenance, cwd)
    render = output.render_untyped_yaml if values["no_interpolate"] else output.render_yaml
    return align_comments(render(tree))


def _listing_of(section: str) -> "Callable[[LoadedProject, Tree], str]":
    def list_names(loaded: "LoadedProject", values: "Tree") -> str:
        return _lines(sorted(_resources(loaded, values).get(section) or ()))

    return list_names


def _lines(words: "list[str]") -> str:
    return "".join(f"{word}\n" for word in words)


def _resources(loaded: "LoadedProject", values: "Tree") -> "Tree":
    """Return a tree without disabled services and what no other uses, also of one with variables in it."""
    if not values["no_interpolate"]:
        return loaded.tree
    from cntnr_compose.compose.profiles import remove_unused_resources, split_by_profile

    enabled, _ = split_by_profile(loaded.tree, loaded.project.profiles)
    tree = {**loaded.tree, "services": enabled}
    if not values["all_resources"]:
        remove_unused_resources(tree)
    return tree


def _list_services(loaded: "LoadedProject", _values: "Tree") -> str:
    from cntnr_compose.compose.queries import order_services

    return _lines(order_services(loaded.tree.get("services") or {}))


def _list_images(loaded: "LoadedProject", values: "Tree") -> str:
    services = _resources(loaded, values).get("services") or {}
    name = loaded.project.name
    images = [one.get("image") or f"{name}-{key}" for key, one in sorted(services.items())]
    hooks = (hook for one in services.values() for hook in one.get("pre_start") or ())
    own = sorted({hook["image"] for hook in hooks if hook.get("image")} - set(images))
    return _lines([*images, *own])


def _list_models(loaded: "LoadedProject", _values: "Tree") -> str:
    models = loaded.tree.get("models") or {}
    return _lines(sorted(one["model"] for one in models.values() if one.get("model")))


def _list_profiles(loaded: "LoadedProject", _values: "Tree") -> str:
    project = loaded.project
    services = (*project.services.values(), *project.disabled.values())
    return _lines(sorted({profile for service in services for profile in service.profiles}))


def _list_hashes(loaded: "LoadedProject", values: "Tree") -> str:
    from cntnr_compose.reconcile.config_hash import service_hash

    names = values["hashed"]
    project = _project_with_variables(loaded) if values["no_interpolate"] else loaded.project
    services = sorted(project.services if names == "*" else names.split(","))
    hashed = [project.service(name) for name in services]
    project.select(tuple(services), dependencies=False).require_env_files()
    return _lines([f"{service.name} {service_hash(service)}" for service in hashed])


def _project_with_variables(loaded: "LoadedProject") -> "Project":
    """Make the project of a tree whose texts still have variables in them.

    Raises `ComposeFileInvalid` where one stands for something else than text.
    """
    from cntnr_compose.compose.decode.keys import decode
    from cntnr_compose.compose.to_service import to_service
    from cntnr_compose.core.values import replace

    services = decode(_resources(loaded, {"no_interpolate": True, "all_resources": True}))
    return replace(
        loaded.project,
        services={name: to_service(name, tree) for name, tree in services["services"].items()},
    )


def _list_environment(loaded: "LoadedProject", _values: "Tree") -> str:
    return _lines([f"{key}={value}" for key, value in sorted(loaded.project.environment.items())])


def _list_variables(loaded: "LoadedProject", values: "Tree") -> str:
    from cntnr_compose.compose.queries import collect_variables

    variables = collect_variables(loaded.tree).values()
    if values["form"] == "json":
        import json

        objects = {
            variable.name: {
                "Name": variable.name,
                "DefaultValue": variable.default,
                "PresenceValue": variable.alternate,
                "Required": variable.required,
            }
            for variable in variables
        }
        return json.dumps(objects, indent=4) + "\n\n"
    from cntnr_compose.cli.display.tables import format_table

    header = ("NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE")
    rows = [(one.name, str(one.required).lower(), one.default, one.alternate) for one in variables]
    return _lines(format_table(header, rows))


LISTINGS: "dict[str, Callable[[LoadedProject, Tree], str]]" = {
    "list_services": _list_services,
    "list_volumes": _listing_of("volumes"),
    "list_networks": _listing_of("networks"),
    "list_models": _list_models,
    "hashed": _list_hashes,
    "list_profiles": _list_profiles,
    "list_images": _list_images,
    "list_variables": _list_variables,
    "list_environment": _list_environment,
}
