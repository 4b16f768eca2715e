"""Write the builds of a project as a bake file, which `build --print` shows."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cntnr_compose.builder.create_request import SERVICE_PREFIX, context_services, merge_args
from cntnr_compose.builder.request import BuildOptions
from cntnr_compose.core.frozen import Tree
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Build, Service
from cntnr_compose.reconcile import labels

INSECURE = "security.insecure"


def build_bake_file(
    project: Project,
    tree: Tree,
    services: Sequence[str],
    options: BuildOptions,
    *,
    selected: Collection[str],
    push: bool = False,
    check: bool = False,
) -> Tree:
    """Make the bake file of a project: targets for the builds of ``selected``, a group of those to build.

    ``tree`` has what the project does not need: caches, attestations.
    """
    grouped = dict.fromkeys(services)
    pending = list(services)
    while pending:
        for name in context_services(project.service(pending.pop()).build):
            if name not in grouped:
                grouped[name] = None
                pending.append(name)
    targets = {}
    for name, service in sorted(project.services.items()):
        if service.build is None or (name not in selected and name not in grouped):
            continue
        written = tree["services"][name]["build"]
        target = _source_keys(project, service, service.build, written, options)
        target |= _run_keys(project, service, service.build, written, options)
        target |= {"call": "lint"} if check else {}
        target |= _result_keys(service, service.build, written, push=push, check=check)
        targets[_target_name(name)] = {key: value for key, value in target.items() if value}
    return {
        "group": {"default": {"targets": [_target_name(name) for name in grouped]}},
        "target": targets,
    }


def _target_name(service: str) -> str:
    return service.replace(".", "_")


def _source_keys(
    project: Project, service: Service, build: Build, written: Tree, options: BuildOptions
) -> Tree:
    """Make the keys of a target up to its stage, in docker's order."""
    args = merge_args(build, project.environment, options.args)
    return {
        "context": build.context,
        "contexts": {
            name: _context(build.additional_contexts[name])
            for name in sorted(build.additional_contexts)
        },
        "dockerfile": _dockerfile_path(build.context, written.get("dockerfile", "")),
        "dockerfile-inline": _escape(build.dockerfile_inline),
        "args": {name: _escape(args[name]) for name in sorted(args)},
        "labels": dict(sorted(labels.built_image(project, service).items())),
        "tags": [*build.tags, project.image_name(service)],
        "cache-from": written.get("cache_from"),
        "cache-to": written.get("cache_to"),
        "target": build.target,
    }


def _run_keys(
    project: Project, service: Service, build: Build, written: Tree, options: BuildOptions
) -> Tree:
    """Make the keys that say how steps are run."""
    own_platform = [service.platform] if service.platform else []
    return {
        "secret": [_secret(project, mount) for mount in written.get("secrets", ())],
        "ssh": [_ssh(key) for key in (*written.get("ssh", ()), *options.ssh)],
        "platforms": list(build.platforms) or own_platform,
        "pull": build.pull or options.pull,
        "no-cache": build.no_cache or options.no_cache,
        "network": build.network,
        "no-cache-filter": written.get("no_cache_filter"),
        "shm-size": str(build.shm_size) if build.shm_size else "",
        "ulimits": [_ulimit(name, value) for name, value in written.get("ulimits", {}).items()],
    }


def _result_keys(service: Service, build: Build, written: Tree, *, push: bool, check: bool) -> Tree:
    """Make the keys from entitlements on."""
    is_pushed = push and bool(service.image)
    output = "type=registry" if is_pushed else "type=docker"
    if len(build.platforms) > 1:
        output = f"type=image,push={str(is_pushed).lower()}"
    return {
        "entitlements": [
            *written.get("entitlements", ()),
            *([INSECURE] if build.privileged else ()),
        ],
        "extra-hosts": dict(host.split("=", 1) for host in written.get("extra_hosts", ())),
        "output": [] if check else [output],
        "attest": _attestations(written),
    }


def _escape(text: str) -> str:
    """Keep bake from filling in variables."""
    return text.replace("${", "$${")


def _context(word: str) -> str:
    if word.startswith(SERVICE_PREFIX):
        return f"target:{_target_name(word.removeprefix(SERVICE_PREFIX))}"
    return word


def _dockerfile_path(context: str, dockerfile: str) -> str:
    """Make the path of a Dockerfile absolute; one in a remote context stays."""
    if not dockerfile or "://" in context or not context.startswith("/"):
        return dockerfile
    return dockerfile if dockerfile.startswith("/") else f"{context}/{dockerfile}"


def _secret(project: Project, mount: Mapping[str, Any]) -> str:
    source = project.secrets.get(mount["source"])
    identity = mount.get("target") or mount["source"]
    if source is not None and source.environment:
        return f"id={identity},type=env,env={source.environment}"
    return f"id={identity},type=file,src={source.file if source else ''}"


def _ssh(key: str) -> str:
    """Write a key, which the tree has as ``id: path``, as bake does."""
    identity, _, path = key.partition(": ") if ": " in key else key.partition("=")
    return f"{identity}={path}"


def _ulimit(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{name}={value.get('soft', 0)}:{value.get('hard', 0)}"
    return f"{name}={value}"


def _attestations(written: Tree) -> list[str]:
    """List the attestations that are asked for."""
    values = {kind: str(written.get(kind) or "") for kind in ("provenance", "sbom")}
    return [
        f"type={kind}" if value == "true" else f"type={kind},{value}"
        for kind, value in values.items()
        if value not in ("", "false")
    ]
