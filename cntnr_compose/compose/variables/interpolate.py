"""Substitute variables in every text of a tree, and cast texts for keys that take numbers or booleans."""

from collections.abc import Callable
from typing import Any

from cntnr_compose.compose.basics import go_parse
from cntnr_compose.compose.basics.diagnostics import Diagnostic, Path, fail_if_any
from cntnr_compose.compose.basics.go_parse import CannotCast
from cntnr_compose.compose.basics.path_rules import (
    HERE,
    PathRules,
    compile_rules,
    docker_path,
    rules_below,
)
from cntnr_compose.compose.variables.syntax import (
    Lookup,
    TemplateInvalid,
    TextTooLong,
    VariableMissing,
    substitute,
    unset_warning,
)
from cntnr_compose.compose.yaml.source_map import SourceText

CASTS = compile_rules({
    "services.*.cpu_count": go_parse.parse_int64,
    "services.*.cpu_percent": go_parse.parse_float,
    "services.*.cpu_period": go_parse.parse_int64,
    "services.*.cpu_quota": go_parse.parse_int64,
    "services.*.cpu_rt_period": go_parse.parse_int64,
    "services.*.cpu_rt_runtime": go_parse.parse_int64,
    "services.*.cpus": go_parse.parse_float32,
    "services.*.cpu_shares": go_parse.parse_int64,
    "services.*.init": go_parse.parse_yaml_bool,
    "services.*.depends_on.*.restart": go_parse.parse_yaml_bool,
    "services.*.deploy.replicas": go_parse.parse_int,
    "services.*.deploy.update_config.parallelism": go_parse.parse_int,
    "services.*.deploy.update_config.max_failure_ratio": go_parse.parse_float,
    "services.*.deploy.rollback_config.parallelism": go_parse.parse_int,
    "services.*.deploy.rollback_config.max_failure_ratio": go_parse.parse_float,
    "services.*.deploy.restart_policy.max_attempts": go_parse.parse_int,
    "services.*.deploy.placement.max_replicas_per_node": go_parse.parse_int,
    "services.*.healthcheck.retries": go_parse.parse_int,
    "services.*.healthcheck.disable": go_parse.parse_yaml_bool,
    "services.*.oom_kill_disable": go_parse.parse_yaml_bool,
    "services.*.oom_score_adj": go_parse.parse_int64,
    "services.*.pids_limit": go_parse.parse_int64,
    "services.*.ports.*.target": go_parse.parse_int,
    "services.*.privileged": go_parse.parse_yaml_bool,
    "services.*.read_only": go_parse.parse_yaml_bool,
    "services.*.scale": go_parse.parse_int,
    "services.*.stdin_open": go_parse.parse_yaml_bool,
    "services.*.tty": go_parse.parse_yaml_bool,
    "services.*.ulimits.*": go_parse.parse_int,
    "services.*.ulimits.*.hard": go_parse.parse_int,
    "services.*.ulimits.*.soft": go_parse.parse_int,
    "services.*.volumes.*.read_only": go_parse.parse_yaml_bool,
    "services.*.volumes.*.volume.nocopy": go_parse.parse_yaml_bool,
    "networks.*.external": go_parse.parse_yaml_bool,
    "networks.*.internal": go_parse.parse_yaml_bool,
    "networks.*.attachable": go_parse.parse_yaml_bool,
    "networks.*.enable_ipv4": go_parse.parse_yaml_bool,
    "networks.*.enable_ipv6": go_parse.parse_yaml_bool,
    "volumes.*.external": go_parse.parse_yaml_bool,
    "secrets.*.external": go_parse.parse_yaml_bool,
    "configs.*.external": go_parse.parse_yaml_bool,
})  # fmt: skip


def interpolate(tree: Any, lookup: Lookup, source: SourceText, warn: Callable[[str], None]) -> Any:
    """Return a new tree with variables substituted.

    Raises `ComposeFileInvalid` with all diagnostics.
    """
    interpolator = _Interpolator(lookup, source, warn)
    result = interpolator.interpolate(tree, CASTS)
    fail_if_any(interpolator.diagnostics)
    return result


class _Interpolator:
    def __init__(self, lookup: Lookup, source: SourceText, warn: Callable[[str], None]) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._lookup = lookup
        self._source = source
        self._warn = warn
        self._path: list[str | int] = []

    def interpolate(self, value: Any, casts: PathRules | None) -> Any:
        kind = type(value)
        if kind is dict:
            return self._interpolate_mapping(value, casts)
        if kind is list:
            return self._interpolate_sequence(value, casts)
        if isinstance(value, str) and ("$" in value or (casts and HERE in casts)):
            return self._interpolate_text(value, casts)
        return value

    def _interpolate_mapping(
        self, mapping: dict[str, Any], casts: PathRules | None
    ) -> dict[str, Any]:
        path, result = self._path, {}
        for key, item in mapping.items():
            inner_casts = rules_below(casts, key) if casts else None
            if inner_casts is None and type(item) is str and "$" not in item:
                result[key] = item
                continue
            path.append(key)
            result[key] = self.interpolate(item, inner_casts)
            path.pop()
        return result

    def _interpolate_sequence(self, sequence: list[Any], casts: PathRules | None) -> list[Any]:
        path, result = self._path, []
        inner_casts = casts.get("*") if casts else None
        for index, item in enumerate(sequence):
            path.append(index)
            result.append(self.interpolate(item, inner_casts))
            path.pop()
        return result

    def _interpolate_text(self, text: str, casts: PathRules | None) -> Any:
        cast = casts.get(HERE) if casts else None
        path = docker_path(tuple(self._path))
        try:
            word = substitute(text, self._lookup, lambda name: self._warn(unset_warning(name)))
            if cast is None:
                return word
            value = cast(word)
        except TemplateInvalid as error:
            hint = f"invalid interpolation format for {path}.\nYou may need to escape any $ with another $."
            return self._report(f"{hint}\n{error}")
        except (VariableMissing, TextTooLong) as error:
            return self._report(f"error while interpolating {path}: {error}")
        except CannotCast as error:
            what = f"failed to cast to expected type: {error}"
            return self._report(f"error while interpolating {path}: {what}")
        if cast is go_parse.parse_yaml_bool and word.lower() not in ("true", "false"):
            right = str(value).lower()
            self._warn(f'"{word}" for boolean is not supported by YAML 1.2, please use `{right}`')
        return value

    def _report(self, message: str) -> None:
        path: Path = tuple(self._path)
        location = self._source.locate(path)
        self.diagnostics.append(Diagnostic(path=path, message=message, location=location))
