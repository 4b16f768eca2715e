"""Check Dockerfiles without building."""

from typing import Any, NamedTuple

from cntnr_compose.builder.dockerfile.instructions import apply_all
from cntnr_compose.builder.dockerfile.lint import Finding, lint_dockerfile
from cntnr_compose.builder.dockerfile.parser import DockerfileInvalid
from cntnr_compose.builder.request import BuildRequest, parse_stages
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import from_json, from_tree
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.model import image_name
from cntnr_compose.model.image import ImageConfig


class DockerfileReport(NamedTuple):
    """What a check of a Dockerfile says: what it breaks, or the error that ends its build, at ``line``."""

    service: str
    file: str
    text: str
    findings: list[Finding]
    error: str = ""
    line: int = 0


def check_dockerfile(request: BuildRequest) -> DockerfileReport:
    """Check the Dockerfile of a build."""
    report = DockerfileReport(request.service, request.file, request.text, [])
    try:
        scope = parse_stages(request)
        scope.find_stage(request.target)
        bases: dict[str, ImageConfig | None] = {}
        for stage in scope.stages:
            if stage.base_stage < 0 and stage.base not in (*request.contexts, "scratch"):
                bases[stage.base] = _base_config(stage.base)
        apply_all(scope, bases)
    except DockerfileInvalid as error:
        return report._replace(error=str(error), line=error.line)
    except CntnrError as error:
        return report._replace(error=f"{request.file}: {error}")
    names = {
        base: None if config is None else [word.partition("=")[0] for word in config.env]
        for base, config in bases.items()
    }
    return report._replace(findings=lint_dockerfile(request.text, scope, names))


def _base_config(ref: str) -> ImageConfig | None:
    """Find the configuration of an image, here or in its registry; None where it cannot be had.

    Raises `ImageNameInvalid`.
    """
    image = ImageStore().find(ref)
    if image is not None:
        return image.config
    try:
        tree = from_json(skopeo.read_config(image_name.normalize(ref)), dict[str, Any])
        return from_tree(tree.get("config") or {}, ImageConfig)
    except ValueError:
        return None
