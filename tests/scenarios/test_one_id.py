"""Users without subordinate ids: containers have one id, root's, and work as far as that goes.

Their bundles are in `test_one_id_bundles`: outside of the holder, crun refuses machines with both cgroups.
"""

import contextlib
import io
import tarfile
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import assert_refused, free_port, http_answers, wait_until
from tests.scenarios.registry import Registry
from tests.scenarios.test_build import (
    test_a_change_is_built_from_where_it_matters,  # noqa: F401
    test_up_builds_what_is_missing_and_with_build_what_has_changed,  # noqa: F401
)
from tests.scenarios.test_commit import test_what_the_flags_say_is_in_the_image  # noqa: F401
from tests.scenarios.test_container_run import (
    test_names_and_detached_containers,  # noqa: F401
    test_networks,  # noqa: F401
)
from tests.scenarios.test_crashes import (
    test_a_stack_whose_holder_died_comes_up_again,  # noqa: F401
)
from tests.scenarios.test_lifecycle_verbs import (
    test_verbs_move_containers_between_states,  # noqa: F401
)
from tests.scenarios.test_networks import (
    test_a_container_has_all_its_names,  # noqa: F401
    test_an_internal_network_leads_nowhere,  # noqa: F401
)
from tests.scenarios.test_ports import test_ports_are_published_as_the_file_says  # noqa: F401
from tests.scenarios.test_run_exec import (
    test_exec_on_a_terminal_has_one,  # noqa: F401
    test_run_gives_the_exit_code_and_keeps_streams_apart,  # noqa: F401
)
from tests.scenarios.test_volumes import test_bind_mounts_show_the_users_files  # noqa: F401

pytestmark = [
    pytest.mark.one_id, pytest.mark.runtimes, pytest.mark.usefixtures("busybox_image")
]  # fmt: skip

NO_RANGE = "has no range in /etc/subuid and /etc/subgid"
USERS = """\
FROM busybox AS user
USER 33:44
FROM busybox AS change
RUN touch /file && chown 33 /file
"""
OWNED = """\
FROM busybox
COPY --chown=33:44 page /data/
RUN chmod 640 /data/page && echo ran >/ran
"""


def owners_in_layers(archive: Path) -> dict[str, tuple[int, int]]:
    """Read the owners of all files in the layers of a saved image."""
    owners = {}
    with tarfile.open(archive) as image:
        for member in image.getmembers():
            content = image.extractfile(member) or io.BytesIO()
            with contextlib.suppress(tarfile.TarError), tarfile.open(fileobj=content) as layer:
                owners |= {each.name: (each.uid, each.gid) for each in layer.getmembers()}
    return owners


def test_what_is_reduced_is_told(make_project: MakeProject) -> None:
    project = make_project("services: {a: {image: busybox, command: 'true'}}")
    doctor = project.cntnr("doctor").ok()
    assert f"reduced  subordinate ids  0 uids, 0 gids of {project.user.name}" in doctor.stdout
    assert "usermod --add-subuids" in doctor.stdout
    assert doctor.stdout.splitlines()[-1].endswith("reduced, 0 missing")
    (project.user.data / "told-of-one-id").unlink(missing_ok=True)
    first, second = project.up(), project.up()
    assert first.stderr.count(f"{project.user.name} {NO_RANGE}") == 1
    assert NO_RANGE not in second.stderr


def test_a_user_that_does_not_exist_is_refused_with_what_to_do(make_project: MakeProject) -> None:
    for service, says in (
        ("image: busybox, user: '33'", "services.a.user: cannot be honoured: only root exists"),
        ("image: busybox, group_add: [audio]", "services.a.group_add: cannot be honoured"),
        ("build: {target: user}", "cannot use user 33: only root exists"),
        ("build: {target: change}", "only root exists here, which may be why"),
    ):
        project = make_project(f"services: {{a: {{{service}, command: 'true'}}}}")
        project.write("Dockerfile", USERS)
        refused = assert_refused(project.compose("up", "-d"), says)
        assert "`cntnr doctor`" in refused
        assert "Invalid argument" in refused or "change" not in service


def test_owners_that_cannot_be_had_are_kept_for_others(
    make_project: MakeProject, registry: Registry
) -> None:
    """They are in built layers, in layers unpacked from a registry, and in those of a commit."""
    name = f"{registry.address}/one-id/owned"
    text = f"services: {{a: {{build: ., image: '{name}', command: sleep 1000, stop_signal: KILL}}}}"
    project = make_project(text, files={"Dockerfile": OWNED, "page": "hello\n"})
    project.compose("build", "--push").ok()
    project.cntnr("image", "rm", name).ok()
    project.cntnr("builder", "prune", "-af").ok()
    project.compose("up", "-d", "--no-build", "--pull", "always").ok()
    look = project.exec("a", "stat", "-c", "%u:%g %a", "/data/page").ok()
    assert look.stdout == "0:0 640\n"  # there is nobody else here
    project.exec("a", "sh", "-c", "mkdir /mine && chmod 600 /data/page && mv /ran /mine/").ok()
    sent = io.BytesIO()
    with tarfile.open(fileobj=sent, mode="w") as archive:
        member = tarfile.TarInfo("given")
        member.uid, member.gid = 70, 71
        archive.addfile(member)
    project.compose("cp", "-a", "-", "a:/mine", stdin=sent.getvalue().decode()).ok()
    project.compose("commit", "a", "committed").ok()
    project.compose("export", "-o", "root.tar", "a").ok()
    with tarfile.open(project.folder / "root.tar") as root:
        assert (root.getmember("data/page").uid, root.getmember("data/page").gid) == (33, 44)
    for image in (name, "committed"):
        project.cntnr("image", "save", "-o", "image.tar", image).ok()
        owners = owners_in_layers(project.folder / "image.tar")
        assert owners["data/page"] == (33, 44)
        assert image == name or owners["mine/given"] == (70, 71)
        assert owners["ran" if image == name else "mine/ran"] == (0, 0)


def test_a_stack_works_as_with_all_ids(make_project: MakeProject) -> None:
    """Names, ports, a volume, a secret with an owner, and the way to the outside in a build."""
    port = free_port()
    project = make_project(
        f"""
        services:
          web:
            build: {{dockerfile_inline: "FROM busybox\\nRUN mkdir /www && echo page >/www/index.html"}}
            command: httpd -f -p 80 -h /www
            stop_signal: KILL
            ports: ["127.0.0.1:{port}:80"]
            volumes: [kept:/kept]
            secrets: [{{source: word, uid: "33", mode: 0o400}}]
          look: {{image: busybox, command: wget -qO- http://web/, depends_on: [web]}}
        volumes: {{kept: {{}}}}
        secrets: {{word: {{environment: WORD}}}}
        """
    )
    up = project.compose("up", "-d", env={"WORD": "xyzzy"}).ok()
    assert "services.web.secrets.0.uid: is not honoured: only root exists" in up.stderr
    assert http_answers(f"http://127.0.0.1:{port}/") == "page\n"
    assert project.exec("web", "cat", "/run/secrets/word").ok().stdout == "xyzzy"
    assert project.compose("run", "--rm", "look").ok().stdout == "page\n"
    wait_until(lambda: project.logs_count("page") == 1, what="the log of look")
    project.exec("web", "touch", "/kept/file").ok()
    # /dev/pts has no group for terminals, and nobody can give up groups.
    assert "gid=" not in project.exec("web", "grep", "devpts", "/proc/mounts").ok().stdout
    assert project.exec("web", "cat", "/proc/self/setgroups").ok().stdout == "deny\n"
