"""What a container finds in its file system: what it may write, configs, secrets, devices."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.oneshots import run_and_read_logs

pytestmark = pytest.mark.runtimes

WRITES = """
  for place in "$$@"; do
    if (echo x >$$place/x) 2>/dev/null; then echo "$$place: yes"; else echo "$$place: no"; fi
  done"""


def test_read_only_root_leaves_what_is_mounted_writable(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(
        f"""
        x-write: &write
          image: {busybox_image}
          entrypoint: ["sh", "-c", '{WRITES}', "sh"]
        services:
          closed:
            <<: *write
            read_only: true
            command: [/, /etc, /tmp, /scratch, /data, /bound, /dev/shm, /dev]
            tmpfs: [/scratch]
            volumes: ["data:/data", "./mine:/bound"]
          open:
            <<: *write
            command: [/, /etc, /tmp]
          mounts:
            <<: *write
            command: [/data, /bound]
            volumes: ["data:/data:ro", "./mine:/bound:ro"]
        volumes: {{data: }}
        """,
        files={"mine/there": "yes\n"},
    )
    assert run_and_read_logs(project) == {
        "closed": [
            "/: no", "/etc: no", "/tmp: no", "/scratch: yes", "/data: yes", "/bound: yes",
            "/dev/shm: yes", "/dev: yes",
        ],
        "open": ["/: yes", "/etc: yes", "/tmp: yes"],
        "mounts": ["/data: no", "/bound: no"],
    }  # fmt: skip
    assert (project.folder / "mine/x").read_text() == "x\n"


def test_memory_file_systems_have_the_size_and_mode_asked_for(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-look: &look
          image: {busybox_image}
          entrypoint:
            - sh
            - -c
            - |
              for one in "$$@"; do
                echo $$one $$(stat -c %a:%u $$one) $$(df -k $$one | awk 'NR == 2 {{print $$2}}')
              done
            - sh
        services:
          default: {{<<: *look, command: [/dev/shm]}}
          shm: {{<<: *look, shm_size: 16m, command: [/dev/shm]}}
          short:
            <<: *look
            tmpfs: ["/a:size=1m,mode=700,uid=1000", "/b:size=2m"]
            command: [/a, /b]
          single: {{<<: *look, tmpfs: "/c:size=3m", command: [/c]}}
          long:
            <<: *look
            volumes:
              - {{type: tmpfs, target: /d, tmpfs: {{size: 4mb, mode: 0750}}}}
            command: [/d]
          covering:  # folders that the image has, with other modes
            <<: *look
            user: root
            tmpfs: ["/opt:mode=700,uid=1000,size=1m", "/home:mode=751,size=1m", "/var:size=1m"]
            volumes:
              - {{type: tmpfs, target: /srv, tmpfs: {{size: 1m, mode: 01777}}}}
              - {{type: tmpfs, target: /mnt, read_only: true, tmpfs: {{size: 1m, mode: 0o2770}}}}
            command: [/opt, /home, /srv, /mnt, /var]
          exec:
            image: {busybox_image}
            tmpfs: ["/yes:exec", "/no"]
            command:
              - sh
              - -c
              - |
                for one in /yes /no; do
                  cp /bin/busybox $$one/echo; $$one/echo $$one || echo not $$one
                done 2>/dev/null
        """)
    assert run_and_read_logs(project) == {
        "default": ["/dev/shm 1777:0 65536"],
        "shm": ["/dev/shm 1777:0 16384"],
        "short": ["/a 700:1000 1024", "/b 1777:0 2048"],
        "single": ["/c 1777:0 3072"],
        "long": ["/d 750:0 4096"],
        "covering": [
            "/opt 700:1000 1024",
            "/home 751:0 1024",
            "/srv 1777:0 1024",
            "/mnt 2770:0 1024",
            "/var 755:0 1024",
        ],
        "exec": ["/yes", "not /no"],
    }


def test_configs_and_secrets_come_from_files_variables_and_text(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(
        f"""
        x-show: &show
          image: {busybox_image}
          entrypoint:
            - sh
            - -c
            - 'for one in "$$@"; do echo $$one $$(stat -c %a:%u:%g $$one) $$(cat $$one); done'
            - sh
        services:
          short:
            <<: *show
            configs: [filed, written]
            secrets: [filed, passed]
            command: [/filed, /written, /run/secrets/filed, /run/secrets/passed]
          long:
            <<: *show
            read_only: true
            configs:
              - {{source: filed, target: /etc/app/a.conf, uid: "1000", gid: "1001", mode: 0640}}
              - {{source: written, target: /etc/app/b.conf, uid: "1000", mode: "0400"}}
              - {{source: varied, target: c.conf}}
            secrets:
              - {{source: passed, target: word, gid: "1001", mode: 0440}}
              - {{source: filed, target: /word, uid: "7"}}
            command: [/etc/app/a.conf, /etc/app/b.conf, /c.conf, /run/secrets/word, /word]
          closed:
            image: {busybox_image}
            configs: [filed, written]
            secrets: [passed]
            command:
              - sh
              - -c
              - |
                for one in /filed /written /run/secrets/passed; do
                  (echo x >$$one) 2>/dev/null || echo closed
                done
        configs:
          filed: {{file: ./app.conf}}
          written: {{content: "greeting=${{GREETING}}\\n"}}
          varied: {{environment: GREETING}}
        secrets:
          filed: {{file: ./word.txt}}
          passed: {{environment: WORD}}
        """,
        files={"app.conf": "from a file\n", "word.txt": "file word\n"},
    )
    output = run_and_read_logs(project, env={"GREETING": "hello", "WORD": "sesame"})
    filed = "644:0:0"  # a file of the user's is root's inside, with its own mode
    assert output == {
        "short": [
            f"/filed {filed} from a file",
            "/written 444:0:0 greeting=hello",
            f"/run/secrets/filed {filed} file word",
            "/run/secrets/passed 444:0:0 sesame",
        ],
        "long": [
            "/etc/app/a.conf 640:1000:1001 from a file",
            "/etc/app/b.conf 400:1000:0 greeting=hello",
            "/c.conf 444:0:0 hello",
            "/run/secrets/word 440:0:1001 sesame",
            "/word 444:7:0 file word",
        ],
        "closed": ["closed", "closed", "closed"],
    }
    assert (project.folder / "app.conf").read_text() == "from a file\n"
    assert project.user.data.stat().st_mode & 0o777 == 0o700
    kept = (
        project.user.data / f"projects/{project.name}.json"
    )  # so that `start` has the secret's text
    assert "sesame" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_secret_that_is_nowhere_is_named(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          one: {{image: {busybox_image}, command: "true", secrets: [lost]}}
        secrets: {{lost: {{file: ./lost.txt}}}}
        """)
    failed = project.compose("up", "-d")
    assert failed.returncode == 1
    assert f"{project.folder}/lost.txt" in failed.stderr
    project.write(
        "compose.yaml",
        (project.folder / "compose.yaml")
        .read_text()
        .replace("file: ./lost.txt", "environment: LOST_WORD"),
    )
    failed = project.compose("up", "-d")
    assert failed.returncode == 1
    assert 'environment variable "LOST_WORD" required by secret "lost" is not set' in failed.stderr


def test_devices_are_those_of_the_machine(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          given:
            image: {busybox_image}
            devices: ["/dev/net/tun:/dev/mine", "/dev/net/tun"]
            command:
              - sh
              - -c
              - 'for one in mine net/tun null fuse; do test ! -c /dev/$$one || echo $$one; done'
        """)
    assert run_and_read_logs(project) == {"given": ["mine", "net/tun", "null"]}
    project.write(
        "compose.yaml",
        f"""
        services:
          given: {{image: {busybox_image}, command: "true", devices: [/dev/no-such-device]}}
        """,
    )
    failed = project.compose("up", "-d")
    assert failed.returncode == 1
    assert 'cannot give "/dev/no-such-device" to service given: no such device' in failed.stderr
