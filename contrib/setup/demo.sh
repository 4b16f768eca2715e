#!/bin/bash
# Bring the hello example up (or down) as an ordinary user, and show that it answers.
set -euo pipefail
cd "$(dirname "$0")/../.."
example=examples/compose/hello
port=${HELLO_PORT:-18080}
as_user() { contrib/setup/as-user.sh env HELLO_PORT="$port" "$@"; }

case ${1:-up} in
  up)
    as_user "$example/prepare.sh"
    as_user cntnr compose -f "$example/compose.yaml" up -d --build --wait
    echo
    curl --silent --show-error --fail --max-time 20 "http://127.0.0.1:$port/"
    echo
    as_user cntnr compose -f "$example/compose.yaml" ps
    echo
    echo "demo: it runs as $(as_user id -un), without privileges: http://127.0.0.1:$port/"
    if [ "$(id -u)" = 0 ]; then
      echo "demo: look at it:  contrib/setup/as-user.sh cntnr compose -f $example/compose.yaml logs"
    else
      echo "demo: look at it:  .venv/bin/cntnr compose -f $example/compose.yaml logs"
    fi
    echo "demo: take it down: make demo-down"
    ;;
  down)
    as_user cntnr compose -f "$example/compose.yaml" down -v
    ;;
esac
