"""Check Dockerfiles without building."""

from typing import Any, NamedTuple

from cntnr_compose.builder.dockerfile.instructions import apply_all
from cntnr_compose.builder.dockerfile.lint.dockerfile import (
    check_settings,
    lint_dockerfile,
)
from cntnr_compose.builder.dockerfile.lint.findings import Finding
from cntnr_compose.builder.dockerfile.parser import DockerfileInvalid
from cntnr_compose.builder.request import BuildRequest, parse_stages
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import from_json, from_tree
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image, ImageConfig


class DockerfileReport(NamedTuple):
    """What a check of a Dockerfile says: what it breaks, or the error that ends its build, at ``line``."""

    service: str
    file: str
    text: str
    findings: list[Finding]
    error: str = ""
    line: int = 0


class ChecksFailed(CntnrError):
    """A Dockerfile breaks rules, and says that it is not to be built then: ``# check=error=true``."""

    def __init__(self, file: str, findings: list[Finding]) -> None:
        rules = ", ".join(dict.fromkeys(finding.rule for finding in findings))
        texts = "".join(f"\n - {each.rule}: {each.text} (line {each.line})" for each in findings)
        super().__init__(f"{file}: lint violation found for rules: {rules}{texts}")


def fail_on_findings(request: BuildRequest) -> None:
    """Check the Dockerfile of a build that asks for it. Raises `ChecksFailed`, `DockerfileInvalid`."""
    scope = parse_stages(request)
    if check_settings(scope).is_error and (findings := check_dockerfile(request).findings):
        raise ChecksFailed(request.file, findings)


def check_dockerfile(request: BuildRequest) -> DockerfileReport:
    """Check the Dockerfile of a build."""
    report = DockerfileReport(request.service, request.file, request.text, [])
    try:
        scope = parse_stages(request)
        scope.find_stage(request.target)
        images = {
            stage.base: request.images.get(stage.base) or _find_image(stage.base)
            for stage in scope.stages
            if stage.base_stage < 0 and stage.base not in (*request.contexts, "scratch")
        }
        bases = {base: None if image is None else image.config for base, image in images.items()}
        apply_all(scope, bases)
        platforms = {
            base: f"{image.os}/{image.architecture}"
            for base, image in images.items()
            if image is not None and image.architecture
        }
        findings = lint_dockerfile(
            request.text, scope, bases, platforms=platforms, ignore=request.ignore
        )
    except DockerfileInvalid as error:
        return report._replace(error=f"{error.file}:{error.line}: {error.why}", line=error.line)
    except CntnrError as error:
        return report._replace(error=f"{request.file}: {error}")
    return report._replace(findings=findings)


def _find_image(ref: str) -> Image | None:
    """Find an image, here or in its registry; None where it cannot be had.

    Raises `ImageNameInvalid`.
    """
    image = ImageStore().find(ref)
    if image is not None:
        return image
    name = image_name.normalize(ref)
    try:
        tree = from_json(skopeo.read_config(name), dict[str, Any])
        config = from_tree(tree.get("config") or {}, ImageConfig)
        machine, system = str(tree.get("architecture", "")), str(tree.get("os", "linux"))
    except ValueError:
        return None
    return Image(id="", ref=name, manifest="", config=config, architecture=machine, os=system)
