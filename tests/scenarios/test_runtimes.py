"""Containers with runc and crun, chosen by the file, by the user's settings, or not at all."""

import json
import shutil
from pathlib import Path

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

PATH = "/usr/bin:/usr/sbin"


def runtimes(project: Project) -> dict[str, tuple[str, str]]:
    """Return the runtime of each running container: as its record names it, and the program behind it."""
    runtimes: dict[str, tuple[str, str]] = {}
    bundles = project.user.inside("b")
    assert bundles is not None
    for path in (project.user.data / "containers" / project.name).glob("*/record.json"):
        record = json.loads(path.read_text())
        bundle = bundles / record["id"][:12]
        (link,) = (link for link in map(bundle.joinpath, ("runc", "crun")) if link.is_symlink())
        runtimes[record["service"]] = (record.get("runtime", "runc"), str(link.readlink()))
    return runtimes


def settings(project: Project) -> Path:
    path = project.user.home / ".config/cntnr/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_each_container_has_the_runtime_that_it_was_made_with(
    make_project: MakeProject, busybox_image: str
) -> None:
    runc, crun = (shutil.which(name, path=PATH) for name in ("runc", "crun"))
    project = make_project(f"""
        x-any: &any {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          alias: {{<<: *any, runtime: io.containerd.runc.v2}}
          small: {{<<: *any, runtime: crun, healthcheck: {{test: "true", interval: 100ms}}}}
          path: {{<<: *any, runtime: {crun}, depends_on: {{small: {{condition: service_healthy}}}}}}
          default: *any
        """)
    file = settings(project)
    before = file.read_text() if file.exists() else None
    try:
        file.write_text('[containers]\nruntime = "runc"\n')
        project.user.own(file.parent)
        project.up()
        expected = {
            "alias": ("runc", runc),
            "small": ("crun", crun),
            "path": (crun, crun),
            "default": ("runc", runc),
        }
        assert runtimes(project) == expected
        file.write_text('[containers]\nruntime = "crun"\n')
        assert "Default Runtime: crun\n" in project.user.run("cntnr", "info").ok().stdout
        project.compose("restart", "-t", "0", "default").ok()
        assert runtimes(project) == expected  # it is the same container
        names = [f"{project.name}-{service}-1" for service in expected]
        form = ("--format", "{{.HostConfig.Runtime}}")
        shown = project.user.run("cntnr", "inspect", *form, *names).ok().stdout.split()
        assert shown == [name for name, _ in expected.values()]
        for service in expected:
            assert project.exec(service, "echo", service).stdout == f"{service}\n"
            project.compose("pause", service).ok()
            project.compose("unpause", service).ok()
            assert_refused(
                project.exec(service, "nope"), "executable file not found in $PATH", code=127
            )
        project.up("-t", "0", "--force-recreate", "default")
        assert runtimes(project)["default"] == ("crun", crun)
    finally:
        file.unlink()
        if before is not None:
            file.write_text(before)


def test_a_runtime_that_is_none_is_refused(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            runtime: ${{RUNTIME}}
        """)

    def refused(name: str, *words: str) -> None:
        project.write(".env", f"RUNTIME={name}\n")
        project.user.own(project.folder)
        assert_refused(project.compose("up", "-d"), *words)

    refused("crum", "unknown runtime crum; it can be runc, crun, or", "did you mean crun?")
    refused("/bin/true", "cannot run containers with /bin/true: it is neither runc nor crun")
    refused("/no/such", "the runtime /no/such is not installed")


def test_a_runtime_that_is_not_installed_names_its_package(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          here: {{image: {busybox_image}, init: true, command: sleep 1000}}
          web: {{image: {busybox_image}, runtime: crun}}
        """)
    project.up("here")
    held = json.loads((project.user.runtime / "holder/holder.json").read_text())
    inside = ("nsenter", "-U", "--preserve-credentials", "-m", "-t", str(held["child"]))
    crun = shutil.which("crun", path=PATH) or ""
    project.user.run(*inside, "mount", "--bind", "/dev/null", crun).ok()  # until the holder ends
    ended = project.compose("up", "-d", "web")
    assert_refused(ended, "the runtime crun is not installed", "hint: install it: ", "crun")


def test_a_wrong_setting_names_file_and_line(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"services: {{web: {{image: {busybox_image}}}}}\n")
    file = settings(project)
    before = file.read_text() if file.exists() else None
    try:
        file.write_text('\n[containers]\nruntime = "rnc"\n')
        project.user.own(file.parent)
        ended = project.compose("up", "-d")
        assert_refused(
            ended, f"{file}:3: containers.runtime: unknown runtime rnc", "did you mean runc"
        )
    finally:
        file.unlink()
        if before is not None:
            file.write_text(before)
