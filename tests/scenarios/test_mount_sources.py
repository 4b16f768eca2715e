"""Where mounts come from: no link leads out, and a start sees what is there then."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

pytestmark = pytest.mark.usefixtures("busybox_image")

# Waits for ever, and ends at once when it is asked to.
WAITS = 'command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"]'
CHAIN = "i=1; while [ $$i -le 45 ]; do ln -s l$$((i+1)) l$$i; i=$$((i+1)); done"


def sh(project: Project, service: str, script: str) -> str:
    """Run a script in a container; return its output."""
    return project.exec(service, "sh", "-c", script).ok().stdout.strip()


def test_a_long_chain_of_links_does_not_lead_out_of_a_volume(make_project: MakeProject) -> None:
    project = make_project(f"""
        services:
          maker:
            image: busybox
            command: ["sh", "-c", "cd /v && {CHAIN}; ln -s $$OUT l46"]
            environment: {{OUT: "${{OUT}}"}}
            volumes: ["vol:/v"]
          taker:
            image: busybox
            {WAITS}
            depends_on: {{maker: {{condition: service_completed_successfully}}}}
            volumes: [{{type: volume, source: vol, target: /w, volume: {{subpath: l1}}}}]
        volumes: {{vol: }}
        """)
    project.write("mine/secret", "secret")
    out = {"OUT": str(project.folder / "mine")}
    assert_refused(project.compose("up", "-d", env=out), "cannot mount subpath l1: Too many levels")
    assert project.states()[f"{project.name}-taker-1"] == "created"


def test_a_long_chain_of_links_does_not_fill_a_volume_from_the_machine(
    make_project: MakeProject,
) -> None:
    project = make_project(f"""
        services:
          a:
            build:
              dockerfile_inline: |
                FROM busybox
                RUN mkdir /c && cd /c && {CHAIN} && ln -s ${{OUT}} l46
                VOLUME /c/l1
            image: chained
            {WAITS}
        """)
    project.write("mine/secret", "secret")
    out = {"OUT": str(project.folder / "mine")}
    result = project.compose("up", "-d", "--build", env=out)
    assert_refused(result, "cannot mount /c/l1 in service a: ", "Too many levels of symbolic links")


def test_a_subpath_is_what_it_was_when_it_was_looked_up(make_project: MakeProject) -> None:
    """A neighbour exchanges it for a link all the time: the mount never leads out of the volume."""
    project = make_project(f"""
        services:
          swapper:
            image: busybox
            init: true
            environment: {{OUT: "${{OUT}}"}}
            command:
              - sh
              - -c
              - |
                cd /v && mkdir part && touch part/good && ln -s $$OUT link
                while :; do
                  mv part keep; mv -T link part; mv -T part link; mv -T keep part
                done
            volumes: ["vol:/v"]
          taker:
            image: busybox
            {WAITS}
            volumes: [{{type: volume, source: vol, target: /w, volume: {{subpath: part}}}}]
        volumes: {{vol: }}
        """)
    project.write("mine/secret", "secret")
    out = {"OUT": str(project.folder / "mine")}
    project.compose("up", "-d", "swapper", env=out).ok()
    seen = set()
    again = ("up", "-d", "--force-recreate", "--no-deps", "-t", "0", "taker")
    for _ in range(12):
        if project.compose(*again, env=out).returncode == 0:
            seen.add(sh(project, "taker", "ls /w"))
    assert seen <= {"good"}, seen


def test_a_file_of_users_that_is_a_pipe(make_project: MakeProject) -> None:
    """Nobody waits for it, be it at a start, an exec, a check or a build."""
    project = make_project(f"""
        services:
          a:
            build:
              dockerfile_inline: |
                FROM busybox
                RUN rm /etc/passwd && mkfifo /etc/passwd
            image: piped
            {WAITS}
          b: {{image: busybox, {WAITS}}}
        """)
    project.write("Dockerfile", "FROM piped\nRUN true\n")
    reason = "cannot run a program: /etc/passwd in the container is no regular file"
    assert_refused(project.compose("up", "-d", "--build", "a", timeout=60), reason)
    project.up("b")
    sh(project, "b", "rm /etc/passwd; mkfifo /etc/passwd")
    assert_refused(project.compose("exec", "-T", "-u", "ann", "b", "true", timeout=20), reason)
    assert_refused(project.exec("b", "true", timeout=20), reason)
    project.write("compose.yaml", "services: {a: {image: busybox}, b: {build: .}}")
    assert_refused(project.compose("build", "b", timeout=30), reason)


def test_a_file_of_users_that_never_ends(make_project: MakeProject) -> None:
    project = make_project(f"services: {{a: {{image: busybox, {WAITS}}}}}")
    project.up()
    sh(project, "a", "truncate -s 100G /etc/passwd")
    result = project.compose("exec", "-T", "-u", "ann", "a", "true", timeout=20)
    assert_refused(
        result, "unable to find user ann: /etc/passwd in the container cannot be read", "KiB"
    )


MADE = """
services:
  job:
    image: busybox
    command:
      - sh
      - -c
      - |
        sleep 0.5; cd /out
        echo new >conf.tmp && mv conf.tmp conf
        echo new >list.tmp && mv list.tmp list
        echo new >secret
        mkdir made later && echo new >made/file && echo new >later/file && echo new >late.txt
        mv folder before && mkdir folder && echo new >folder/file
        mkdir /vol/part && echo new >/vol/part/file
    volumes: ["./out:/out", "vol:/vol"]
  app:
    image: busybox
    command: cat /conf /list /secret /made/file /later/file /late.txt /folder/file /part/file
    depends_on: {job: {condition: service_completed_successfully}}
    configs: [{source: list, target: /list, mode: 0444}]
    secrets: [{source: secret, target: /secret, mode: 0444}]
    volumes:
      - ./out/conf:/conf:ro
      - ./out/made:/made
      - ./out/late.txt:/late.txt
      - {type: bind, source: ./out/later, target: /later, bind: {create_host_path: false}}
      - ./out/folder:/folder
      - {type: volume, source: vol, target: /part, volume: {subpath: part}}
configs: {list: {file: ./out/list}}
secrets: {secret: {file: ./out/secret}}
volumes: {vol: }
"""


def make_old(project: Project) -> None:
    for name in ("conf", "list", "secret", "folder/file"):
        project.write(f"out/{name}", "old\n")


@pytest.mark.parametrize("verb", ["up", "run"])
def test_what_a_dependency_makes_or_replaces_is_seen(make_project: MakeProject, verb: str) -> None:
    project = make_project(MADE)
    make_old(project)
    if verb == "run":
        output = project.compose("run", "--rm", "app").ok().stdout
    else:
        project.up()
        project.compose("wait", "app").ok()
        output = project.compose("logs", "--no-log-prefix", "app").ok().stdout
    assert output.splitlines() == ["new"] * 8


def test_who_shares_a_namespace_follows_a_lender_that_is_prepared_anew(
    make_project: MakeProject,
) -> None:
    project = make_project(f"""
        services:
          job:
            image: busybox
            command: sh -c "sleep 0.3; echo new >/out/tmp && mv /out/tmp /out/conf"
            volumes: ["./out:/out"]
          lender:
            image: busybox
            {WAITS}
            depends_on: {{job: {{condition: service_completed_successfully}}}}
            volumes: ["./out/conf:/conf"]
          guest: {{image: busybox, {WAITS}, network_mode: "service:lender", pid: "service:lender"}}
        """)
    project.write("out/conf", "old\n")
    project.up()
    assert sh(project, "lender", "cat /conf") == "new"
    for kind in ("net", "pid"):
        look = f"readlink /proc/self/ns/{kind}"
        assert sh(project, "guest", look) == sh(project, "lender", look)
    assert sh(project, "guest", "cat /etc/hosts") == sh(project, "lender", "cat /etc/hosts")


def test_a_source_that_nobody_makes_is_refused_at_once_or_at_the_start(
    make_project: MakeProject,
) -> None:
    project = make_project(f"""
        services:
          first: {{image: busybox, {WAITS}}}
          second:
            image: busybox
            {WAITS}
            depends_on: [first]
            volumes: ["./none.txt:/etc/none"]
        """)
    assert_refused(project.compose("up", "-d"), "cannot mount ", "none.txt in service second")
    assert project.states()[f"{project.name}-second-1"] == "created"
    assert not (project.folder / "none.txt").exists()
