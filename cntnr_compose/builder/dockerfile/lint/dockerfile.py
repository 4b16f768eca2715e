"""Check a Dockerfile by all rules."""

from collections.abc import Mapping

from cntnr_compose.builder.dockerfile.lint.findings import (
    CheckOptionInvalid,
    CheckSettings,
    Finding,
    parse_check_settings,
)
from cntnr_compose.builder.dockerfile.lint.instructions import StageChecker
from cntnr_compose.builder.dockerfile.lint.lines import check_lines
from cntnr_compose.builder.dockerfile.lint.stages import check_descriptions, check_stages
from cntnr_compose.builder.dockerfile.lint.variables import check_variables
from cntnr_compose.builder.dockerfile.stages import DockerfileScope
from cntnr_compose.builder.dockerfile.syntax.directives import CHECK_ARG
from cntnr_compose.model.image import ImageConfig


def check_settings(scope: DockerfileScope) -> CheckSettings:
    """Return what the build arguments or the directive say about checks. Raises `DockerfileInvalid`."""
    text = scope.args.get(CHECK_ARG, scope.directives.check)
    try:
        return parse_check_settings(text)
    except CheckOptionInvalid as error:
        raise scope.error(scope.directives.check_line or 1, str(error)) from error


def lint_dockerfile(
    text: str,
    scope: DockerfileScope,
    bases: Mapping[str, ImageConfig | None],
    *,
    platforms: Mapping[str, str] | None = None,
    ignore: tuple[str, ...] = (),
) -> list[Finding]:
    """Check a Dockerfile that was parsed; return what it breaks, by line.

    ``bases`` has the configuration of each base image, None where it is not known; ``platforms`` for what
    they were made. Raises `DockerfileInvalid` where the settings of checks are wrong.
    """
    settings = check_settings(scope)
    if "all" in settings.skip and not settings.experimental:
        return []
    lines = text.removeprefix("\ufeff").split("\n")
    findings = [*check_lines(lines, scope), *check_stages(lines, scope, platforms or {})]
    findings += check_descriptions(scope)
    base_env = {
        base: None if config is None else [word.partition("=")[0] for word in config.env]
        for base, config in bases.items()
    }
    shells = {base: bool(config and config.shell) for base, config in bases.items()}
    checker = StageChecker(scope, shells, ignore)
    known: dict[int, set[str] | None] = {}
    for stage in scope.stages:
        findings += checker.check(stage)
        findings += check_variables(stage, scope, base_env, known)
    own = _settings_by_line(scope)
    kept = [
        finding
        for finding in findings
        if settings.checks(finding.rule) and own.get(finding.line, settings).checks(finding.rule)
    ]
    return sorted(kept, key=lambda finding: (finding.line, finding.rule))


def _settings_by_line(scope: DockerfileScope) -> dict[int, CheckSettings]:
    """Read the comments ``# check=skip=RULE`` directly before instructions, which concern these alone."""
    settings = {}
    for stage in scope.stages:
        sources = () if stage.source is None else (stage.source,)
        for each in (*sources, *stage.instructions):
            for comment in each.comments:
                name, equals, value = comment.partition("=")
                if name.strip().lower() != "check" or not equals:
                    continue
                try:
                    own = parse_check_settings(value)
                except CheckOptionInvalid as error:
                    raise scope.error(each.line, str(error)) from error
                # It may leave rules out, not ask for more.
                settings[each.line] = CheckSettings(skip=own.skip, experimental=("all",))
    return settings
