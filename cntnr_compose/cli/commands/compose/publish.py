"""`cntnr compose publish`: push the compose files of a project to a registry."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import argument, command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.core.frozen import Tree
    from cntnr_compose.images.transports.artifact import PublishedFile


@command("REPOSITORY[:TAG]")
@argument("repository", metavar="REPOSITORY[:TAG]")
@flag("--app", help="Also push the images of all services, named by their digests.")
@flag("--insecure-registry", "insecure")  # hidden, as in docker
@option("--oci-version", "version", default="", metavar="VERSION", help="1.0 or 1.1.")
@flag("--resolve-image-digests", "pinned", help="Name images by their digests.")
@flag("--with-env", help="Also publish env files, and allow variables.")
@flag("-y", "--yes", help="Assume yes to all questions.")
def publish(options: "ProjectOptions", repository: str, **values: Any) -> None:
    """Publish the project's files as an OCI artifact, which `-f oci://REPOSITORY:TAG` reads."""
    from cntnr_compose.cli.flows.images import publish_checks
    from cntnr_compose.cli.flows.images.published_files import collect_files
    from cntnr_compose.images.transports import artifact
    from cntnr_compose.images.transports.push import push_services

    ref = _full_name(repository)
    if values["version"] not in ("", *artifact.OCI_VERSIONS):
        raise artifact.OciVersionUnknown(values["version"])
    with options.display() as display:
        loaded = options.replace(profiles=("*",)).load(display)
        project = loaded.project
        publish_checks.check_builds(project)
        texts = {source.file: source.text for source in loaded.source_map.sources}
        published = collect_files(project, texts, with_env=values["with_env"])
        if not values["yes"] and not _is_allowed(loaded, published, values):
            return
        services = list(project.services.values())
        push_services(services, ignore_failures=True, dry_run=options.dry_run, emit=display.emit)
        if not options.dry_run and (values["pinned"] or values["app"]):
            published.append(_digests_file(loaded))
        _report(display, repository, "publishing")
        if not options.dry_run:
            insecure = values["insecure"]
            manifest = artifact.push_project(
                ref, published, version=values["version"], insecure=insecure
            )
            if values["app"]:
                images = _ensure_images(loaded, display)
                artifact.push_images(ref, manifest, images, insecure=insecure)
        _report(display, repository, "published", state="done")


def _full_name(name: str) -> str:
    """Return the full name of an artifact. Raises `ImageNameInvalid`."""
    from cntnr_compose.model import image_name

    parsed = image_name.parse(name)
    if parsed.digest:
        raise image_name.ImageNameInvalid(name, "an artifact is published under a tag")
    return str(parsed)


def _is_allowed(
    loaded: "LoadedProject", published: "list[PublishedFile]", values: dict[str, Any]
) -> bool:
    """Ask about what others had better not see. Raises `EnvironmentNotAllowed`."""
    from cntnr_compose.cli.display.prompt import confirm
    from cntnr_compose.cli.flows.images import publish_checks

    project, trees = loaded.project, _written_trees(published)
    question = publish_checks.environment_question(project, trees, with_env=values["with_env"])
    questions = [
        publish_checks.bind_mounts_question(project),
        publish_checks.secrets_question(published, trees),
        question,
    ]
    return all(confirm(question) for question in questions if question)


def _written_trees(published: "list[PublishedFile]") -> "list[Tree]":
    """Return the trees of compose files, with variables as they are written."""
    from cntnr_compose.compose.yaml.reader import read_documents

    return [
        document.tree
        for file in published
        if not file.is_env_file
        for document in read_documents(file.content.decode(), file.name)
        if isinstance(document.tree, dict)
    ]


def _digests_file(loaded: "LoadedProject") -> "PublishedFile":
    """Make the compose file that names images by their digests. Raises `ImageError`."""
    from cntnr_compose.cli.flows.images.pinned_images import pin_images
    from cntnr_compose.compose.render.output import render_yaml
    from cntnr_compose.images.transports.artifact import PublishedFile

    content = render_yaml(pin_images(loaded.tree, only_images=True))
    return PublishedFile(name="image-digests.yaml", content=content.encode())


def _ensure_images(loaded: "LoadedProject", display: "ProgressDisplay") -> list[str]:
    """Have the images of all services in the store; return their names."""
    from cntnr_compose.builder.ensure_images import ensure_images

    return list(ensure_images(loaded.project, no_build=True, emit=display.emit))


def _report(
    display: "ProgressDisplay", repository: str, text: str, *, state: str = "working"
) -> None:
    from cntnr_compose.core.events import Progress

    display.emit(Progress(kind="", name=repository, detail=text, status="", state=state))
