#!/bin/bash
# Measure cntnr beside docker compose (and podman-compose, where podman is installed).
# Needs root, for a Docker daemon of its own that leaves this machine's network alone.
#   contrib/bench/run.sh [--rounds 5] [--out FILE.md]
#   contrib/bench/run.sh builds [...]   only images, beside `docker build` and `buildah bud`; see docs/build-conformance.md
#   contrib/bench/run.sh containers [--rounds 10]   verbs of single containers, beside `docker`
#   contrib/bench/run.sh images [--rounds 3]   how images arrive: pull and first start, shared layers, disk
#   contrib/bench/run.sh containers [--rounds 10]   single containers: run, exec, ps, rm
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "$(id -u)" != 0 ]; then
  echo "bench: cannot start a Docker daemon without root; run: sudo make bench" >&2
  exit 1
fi
part=run needed="dockerd skopeo docker-registry"
if [ "${1:-}" = builds ]; then part=builds needed="skopeo docker-registry"; shift; fi
if [ "${1:-}" = images ]; then part=images; shift; fi
if [ "${1:-}" = containers ]; then part=containers; shift; fi
for program in $needed; do
  command -v "$program" >/dev/null || {
    echo "bench: cannot find $program; run: apt-get install docker.io skopeo docker-registry" >&2
    exit 1
  }
done
if ! .venv/bin/python -c 'import importlib.metadata as m; m.version("podman-compose")' 2>/dev/null; then
  .venv/bin/pip install -q --disable-pip-version-check --root-user-action=ignore -e '.[bench]'
  python3 contrib/setup/mirror.py "${CNTNR_TEST_USER:-cntnr-test}" --remove # the copy lacks them
fi
exec .venv/bin/python -m "contrib.bench.$part" "$@"
