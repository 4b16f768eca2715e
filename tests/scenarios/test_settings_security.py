"""What a container may do: rights, filters, kernel settings and limits, and what is said of less."""

import os
import resource

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.oneshots import read_logs, run_and_read_logs, wait_for_exits

pytestmark = pytest.mark.runtimes


def test_capabilities_are_dockers_and_change_as_asked(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-look: &look
          image: {busybox_image}
          command:
            - sh
            - -c
            - |
              grep ^Cap /proc/self/status | grep -v Amb | tr -d '\\t' | tr '\\n' ' '; echo
              touch /tmp/one
              chown 1:1 /tmp/one 2>/dev/null && echo chown
              ip link add one type dummy 2>/dev/null || ip addr add 10.1.2.3/32 dev lo 2>/dev/null && echo net
              mount -t tmpfs none /tmp 2>/dev/null && echo mount
              echo 1 2>/dev/null >/proc/sys/net/ipv4/ip_forward && echo sysctl
              true
        services:
          default: {{<<: *look}}
          user: {{<<: *look, user: "1000"}}
          none: {{<<: *look, cap_drop: [ALL]}}
          few: {{<<: *look, cap_drop: [all], cap_add: [CHOWN, cap_kill]}}
          net: {{<<: *look, cap_add: [NET_ADMIN]}}
          without: {{<<: *look, cap_drop: [CHOWN]}}
          every: {{<<: *look, privileged: true}}
        """)
    output = run_and_read_logs(project)
    caps = {name: lines.pop(0).split() for name, lines in output.items()}
    docker = "00000000a80425fb"
    assert caps["default"] == [
        "CapInh:0000000000000000", f"CapPrm:{docker}", f"CapEff:{docker}", f"CapBnd:{docker}",
    ]  # fmt: skip
    nothing = "0" * 16
    assert caps["user"][1:] == [f"CapPrm:{nothing}", f"CapEff:{nothing}", f"CapBnd:{docker}"]
    assert caps["none"][2:] == [f"CapEff:{nothing}", f"CapBnd:{nothing}"]
    assert caps["few"][2] == "CapEff:0000000000000021"
    assert caps["net"][2] == "CapEff:00000000a80435fb"
    assert caps["without"][2] == "CapEff:00000000a80425fa"
    assert int(caps["every"][2].removeprefix("CapEff:"), 16) > 1 << 36
    assert output == {
        "default": ["chown"],
        "user": [],
        "none": [],
        "few": ["chown"],
        "net": ["chown", "net"],
        "without": [],
        "every": ["chown", "net", "mount", "sysctl"],
    }


def test_security_options_switch_filters(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        f"""
        x-look: &look
          image: {busybox_image}
          command:
            - sh
            - -c
            - |
              grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t' | tr '\\n' ' '; echo
              unshare -U true 2>/dev/null && echo unshare
              grep -qs CPU0 /proc/interrupts && echo interrupts
              mkdir /tmp/new 2>/dev/null && echo mkdir
              true
        services:
          default: {{<<: *look}}
          unconfined: {{<<: *look, security_opt: [seccomp=unconfined]}}
          colon: {{<<: *look, security_opt: ["seccomp:unconfined"]}}
          never: {{<<: *look, security_opt: ["no-new-privileges:true"]}}
          bare: {{<<: *look, security_opt: [no-new-privileges]}}
          open: {{<<: *look, security_opt: [systempaths=unconfined]}}
          own: {{<<: *look, security_opt: ["seccomp=./no-mkdir.json"]}}
          every: {{<<: *look, privileged: true}}
        """,
        files={
            "no-mkdir.json": """{
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]
            }""",
        },
    )
    assert run_and_read_logs(project) == {
        "default": ["NoNewPrivs:0 Seccomp:2 ", "mkdir"],
        "unconfined": ["NoNewPrivs:0 Seccomp:0 ", "unshare", "mkdir"],
        "colon": ["NoNewPrivs:0 Seccomp:0 ", "unshare", "mkdir"],
        "never": ["NoNewPrivs:1 Seccomp:2 ", "mkdir"],
        "bare": ["NoNewPrivs:1 Seccomp:2 ", "mkdir"],
        "open": ["NoNewPrivs:0 Seccomp:2 ", "interrupts", "mkdir"],
        "own": ["NoNewPrivs:0 Seccomp:2 ", "unshare"],
        "every": ["NoNewPrivs:0 Seccomp:0 ", "unshare", "interrupts", "mkdir"],
    }


def test_kernel_settings_and_limits_are_the_containers_own(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}}}
        services:
          mapping:
            <<: *small
            sysctls: {{net.core.somaxconn: 1000, kernel.msgmax: "12345"}}
            command: ["cat", "/proc/sys/net/core/somaxconn", "/proc/sys/kernel/msgmax"]
          sequence:
            <<: *small
            sysctls: [net.ipv4.tcp_syncookies=0]
            working_dir: /proc/sys/net/ipv4
            command: ["cat", "tcp_syncookies", "ip_unprivileged_port_start"]
          limits:
            <<: *small
            ulimits:
              nofile: {{soft: 100, hard: 200}}
              core: 0
              cpu: {{soft: 50, hard: -1}}
            command: ["sh", "-c", "ulimit -n; ulimit -Hn; ulimit -c; ulimit -t"]
        """)
    assert run_and_read_logs(project) == {
        "mapping": ["1000", "12345"],
        "sequence": ["0", "0"],
        "limits": ["100", "200", "0", "50"],
    }


def test_limit_above_ones_own_is_held_to_it_with_one_line(
    make_project: MakeProject, busybox_image: str
) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    project = make_project(f"""
        services:
          one:
            image: {busybox_image}
            ulimits: {{nofile: {most + 1}}}
            command: ["sh", "-c", "ulimit -n"]
        """)
    stderr = project.up().stderr
    assert stderr.count(f"ulimits.nofile: held to {most}") == 1
    wait_for_exits(project)
    assert read_logs(project) == {"one": [str(most)]}


def test_refusals_name_the_setting(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project()
    for setting, message in {
        "sysctls: {kernel.shm_next_id: 1}": 'cannot set "kernel.shm_next_id"',
        "sysctls: {net.core.somaxconn: 1}\n    network_mode: host": "not allowed in host network namespace",
        "cap_add: [FLYING]": "FLYING",
        "security_opt: [magic=1]": 'invalid option "magic=1"',
        "ulimits: {wings: 2}": "invalid ulimit type",
    }.items():
        project.write(
            "compose.yaml",
            f"services:\n  one:\n    image: {busybox_image}\n    command: 'true'\n    {setting}\n",
        )
        failed = project.compose("up", "-d")
        assert (failed.returncode, message in failed.stderr) == (1, True), str(failed)
        assert "Traceback" not in failed.stderr


ASK_THE_KERNEL = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def ask(name, number, *words):
    answer = libc.syscall(number, *words)
    print(name, "ok" if answer >= 0 else errno.errorcode[ctypes.get_errno()], flush=True)
ask("getpid", 39)
ask("keyctl", 250, 0, 0)
ask("swapon", 167, 0, 0)
ask("newer", 1000)
if os.fork() == 0:
    ask("clone into a namespace", 56, 0x10000000, 0, 0, 0, 0)
    os._exit(0)
os.wait()
ask("clone3", 435, 0, 0)
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of system calls are x86-64's")
def test_what_is_forbidden_is_not_permitted_and_what_is_new_not_implemented(
    make_project: MakeProject, debian_images: dict[str, str]
) -> None:
    project = make_project(
        f"""
        services:
          asks:
            image: {debian_images["python"]}
            command: [python3, /ask.py]
            volumes: [./ask.py:/ask.py:ro]
        """,
        files={"ask.py": ASK_THE_KERNEL},
    )
    result = project.compose("run", "--rm", "-T", "asks").ok()
    is_runc = os.environ.get("CNTNR_TEST_RUNTIME") != "crun"
    assert result.stdout.splitlines() == [
        "getpid ok",
        "keyctl EPERM",
        "swapon EPERM",
        "newer ENOSYS",
        # With crun what no rule names is not implemented.
        f"clone into a namespace {'EPERM' if is_runc else 'ENOSYS'}",
        "clone3 ENOSYS",
    ]
