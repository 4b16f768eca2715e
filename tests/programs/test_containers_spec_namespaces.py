"""The hook that sets the domain name."""

import subprocess
import time

from cntnr_compose.containers.spec.inputs import Reductions, SpecInputs
from cntnr_compose.containers.spec.namespaces import build_hooks
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Service


def test_the_hook_reads_the_state_before_it_runs_the_program() -> None:
    service = Service(name="web", domainname="example.org")
    facts, reductions = HostFacts(domainname_path="/bin/echo"), Reductions("web")
    [hook] = build_hooks(service, SpecInputs(id="a1", rootfs="/r"), facts, reductions)[
        "createContainer"
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        hook["args"], executable=hook["path"], stdin=pipe, stdout=pipe, env={}
    ) as process:
        time.sleep(0.1)
        assert process.poll() is None
        assert process.communicate(b'{"id": "state"}')[0] == b"example.org\n"
        assert process.returncode == 0
