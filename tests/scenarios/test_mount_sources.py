"""Where mounts come from: no link leads out, and a start sees what is there then."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, refused

pytestmark = pytest.mark.usefixtures("busybox_image")

# Waits for ever, and ends at once when it is asked to.
WAITS = 'command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"]'
CHAIN = "i=1; while [ $$i -le 45 ]; do ln -s l$$((i+1)) l$$i; i=$$((i+1)); done"


def sh(project: Project, service: str, script: str) -> str:
    """Run a script in a container; give what it said."""
    return project.exec(service, "sh", "-c", script).ok().stdout.strip()


def test_a_long_chain_of_links_does_not_lead_out_of_a_volume(project: MakeProject) -> None:
    here = project(f"""
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
    here.write("mine/secret", "secret")
    out = {"OUT": str(here.folder / "mine")}
    refused(here.compose("up", "-d", env=out), "cannot mount subpath l1: Too many levels")
    assert here.states()[f"{here.name}-taker-1"] == "created"


def test_a_long_chain_of_links_does_not_fill_a_volume_from_the_machine(
    project: MakeProject,
) -> None:
    here = project(f"""
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
    here.write("mine/secret", "secret")
    out = {"OUT": str(here.folder / "mine")}
    said = here.compose("up", "-d", "--build", env=out)
    refused(said, "cannot mount /c/l1 in service a: ", "Too many levels of symbolic links")


def test_a_subpath_is_what_it_was_when_it_was_looked_up(project: MakeProject) -> None:
    """A neighbour exchanges it for a link all the time: the mount never leads out of the volume."""
    here = project(f"""
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
    here.write("mine/secret", "secret")
    out = {"OUT": str(here.folder / "mine")}
    here.compose("up", "-d", "swapper", env=out).ok()
    seen = set()
    again = ("up", "-d", "--force-recreate", "--no-deps", "-t", "0", "taker")
    for _ in range(12):
        if here.compose(*again, env=out).returncode == 0:
            seen.add(sh(here, "taker", "ls /w"))
    assert seen <= {"good"}, seen


def test_a_file_of_users_that_is_a_pipe(project: MakeProject) -> None:
    """Nobody waits for it, be it at a start, an exec, a check or a build."""
    here = project(f"""
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
    here.write("Dockerfile", "FROM piped\nRUN true\n")
    reason = "cannot run a program: /etc/passwd in the container is no regular file"
    refused(here.compose("up", "-d", "--build", "a", timeout=60), reason)
    here.up("b")
    sh(here, "b", "rm /etc/passwd; mkfifo /etc/passwd")
    refused(here.compose("exec", "-T", "-u", "ann", "b", "true", timeout=20), reason)
    refused(here.exec("b", "true", timeout=20), reason)
    here.write("compose.yaml", "services: {a: {image: busybox}, b: {build: .}}")
    refused(here.compose("build", "b", timeout=30), reason)


def test_a_file_of_users_that_never_ends(project: MakeProject) -> None:
    here = project(f"services: {{a: {{image: busybox, {WAITS}}}}}")
    here.up()
    sh(here, "a", "truncate -s 100G /etc/passwd")
    said = here.compose("exec", "-T", "-u", "ann", "a", "true", timeout=20)
    refused(said, "unable to find user ann: /etc/passwd in the container cannot be read", "KiB")


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


def make_old(here: Project) -> None:
    for name in ("conf", "list", "secret", "folder/file"):
        here.write(f"out/{name}", "old\n")


@pytest.mark.parametrize("verb", ["up", "run"])
def test_what_a_dependency_makes_or_replaces_is_seen(project: MakeProject, verb: str) -> None:
    here = project(MADE)
    make_old(here)
    if verb == "run":
        said = here.compose("run", "--rm", "app").ok().stdout
    else:
        here.up()
        here.compose("wait", "app").ok()
        said = here.compose("logs", "--no-log-prefix", "app").ok().stdout
    assert said.splitlines() == ["new"] * 8


def test_who_shares_a_namespace_follows_a_lender_that_is_prepared_anew(
    project: MakeProject,
) -> None:
    here = project(f"""
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
    here.write("out/conf", "old\n")
    here.up()
    assert sh(here, "lender", "cat /conf") == "new"
    for kind in ("net", "pid"):
        look = f"readlink /proc/self/ns/{kind}"
        assert sh(here, "guest", look) == sh(here, "lender", look)
    assert sh(here, "guest", "cat /etc/hosts") == sh(here, "lender", "cat /etc/hosts")


def test_a_source_that_nobody_makes_is_refused_at_once_or_at_the_start(
    project: MakeProject,
) -> None:
    here = project(f"""
        services:
          first: {{image: busybox, {WAITS}}}
          second:
            image: busybox
            {WAITS}
            depends_on: [first]
            volumes: ["./none.txt:/etc/none"]
        """)
    refused(here.compose("up", "-d"), "cannot mount ", "none.txt in service second")
    assert here.states()[f"{here.name}-second-1"] == "created"
    assert not (here.folder / "none.txt").exists()
