"""Put variables into every text of a tree, then make numbers and booleans where a key wants them."""

from collections.abc import Callable
from typing import Any

from cntnr_compose.compose.basics import go_parse as casts
from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid, Finding
from cntnr_compose.compose.basics.go_parse import CannotCast
from cntnr_compose.compose.basics.path_rules import HERE, Path, Rows, below, say, table
from cntnr_compose.compose.variables.syntax import (
    Lookup,
    TemplateInvalid,
    TextTooLong,
    VariableMissing,
    substitute,
    unset,
)
from cntnr_compose.compose.yaml.source_map import Source

CASTS = table({
    "services.*.cpu_count": casts.integer64,
    "services.*.cpu_percent": casts.decimal,
    "services.*.cpu_period": casts.integer64,
    "services.*.cpu_quota": casts.integer64,
    "services.*.cpu_rt_period": casts.integer64,
    "services.*.cpu_rt_runtime": casts.integer64,
    "services.*.cpus": casts.decimal32,
    "services.*.cpu_shares": casts.integer64,
    "services.*.init": casts.boolean,
    "services.*.depends_on.*.restart": casts.boolean,
    "services.*.deploy.replicas": casts.integer,
    "services.*.deploy.update_config.parallelism": casts.integer,
    "services.*.deploy.update_config.max_failure_ratio": casts.decimal,
    "services.*.deploy.rollback_config.parallelism": casts.integer,
    "services.*.deploy.rollback_config.max_failure_ratio": casts.decimal,
    "services.*.deploy.restart_policy.max_attempts": casts.integer,
    "services.*.deploy.placement.max_replicas_per_node": casts.integer,
    "services.*.healthcheck.retries": casts.integer,
    "services.*.healthcheck.disable": casts.boolean,
    "services.*.oom_kill_disable": casts.boolean,
    "services.*.oom_score_adj": casts.integer64,
    "services.*.pids_limit": casts.integer64,
    "services.*.ports.*.target": casts.integer,
    "services.*.privileged": casts.boolean,
    "services.*.read_only": casts.boolean,
    "services.*.scale": casts.integer,
    "services.*.stdin_open": casts.boolean,
    "services.*.tty": casts.boolean,
    "services.*.ulimits.*": casts.integer,
    "services.*.ulimits.*.hard": casts.integer,
    "services.*.ulimits.*.soft": casts.integer,
    "services.*.volumes.*.read_only": casts.boolean,
    "services.*.volumes.*.volume.nocopy": casts.boolean,
    "networks.*.external": casts.boolean,
    "networks.*.internal": casts.boolean,
    "networks.*.attachable": casts.boolean,
    "networks.*.enable_ipv4": casts.boolean,
    "networks.*.enable_ipv6": casts.boolean,
    "volumes.*.external": casts.boolean,
    "secrets.*.external": casts.boolean,
    "configs.*.external": casts.boolean,
})  # fmt: skip


def interpolate(tree: Any, lookup: Lookup, source: Source, warn: Callable[[str], None]) -> Any:
    """Give a new tree with variables put in; mistakes are told all at once.

    Raises `ComposeFileInvalid`.
    """
    walk = _Walk(lookup, source, warn)
    done = walk.value(tree, CASTS)
    if walk.findings:
        raise ComposeFileInvalid(walk.findings)
    return done


class _Walk:
    def __init__(self, lookup: Lookup, source: Source, warn: Callable[[str], None]) -> None:
        self.findings: list[Finding] = []
        self._lookup = lookup
        self._source = source
        self._warn = warn
        self._path: list[str | int] = []

    def value(self, value: Any, rows: Rows | None) -> Any:
        kind = type(value)
        if kind is dict:
            return self._mapping(value, rows)
        if kind is list:
            return self._sequence(value, rows)
        if isinstance(value, str) and ("$" in value or (rows and HERE in rows)):
            return self._text(value, rows)
        return value

    def _mapping(self, mapping: dict[str, Any], rows: Rows | None) -> dict[str, Any]:
        path, done = self._path, {}
        for key, inner in mapping.items():
            deeper = below(rows, key) if rows else None
            if deeper is None and type(inner) is str and "$" not in inner:
                done[key] = inner
                continue
            path.append(key)
            done[key] = self.value(inner, deeper)
            path.pop()
        return done

    def _sequence(self, sequence: list[Any], rows: Rows | None) -> list[Any]:
        path, done = self._path, []
        deeper = rows.get("*") if rows else None
        for index, inner in enumerate(sequence):
            path.append(index)
            done.append(self.value(inner, deeper))
            path.pop()
        return done

    def _text(self, text: str, rows: Rows | None) -> Any:
        cast = rows.get(HERE) if rows else None
        path = say(tuple(self._path))
        try:
            word = substitute(text, self._lookup, lambda name: self._warn(unset(name)))
            if cast is None:
                return word
            value = cast(word)
        except TemplateInvalid as error:
            hint = f"invalid interpolation format for {path}.\nYou may need to escape any $ with another $."
            return self._wrong(f"{hint}\n{error}")
        except (VariableMissing, TextTooLong) as error:
            return self._wrong(f"error while interpolating {path}: {error}")
        except CannotCast as error:
            what = f"failed to cast to expected type: {error}"
            return self._wrong(f"error while interpolating {path}: {what}")
        if cast is casts.boolean and word.lower() not in ("true", "false"):
            right = str(value).lower()
            self._warn(f'"{word}" for boolean is not supported by YAML 1.2, please use `{right}`')
        return value

    def _wrong(self, what: str) -> None:
        path: Path = tuple(self._path)
        self.findings.append(Finding(path=path, message=what, place=self._source.place(path)))
