#!/bin/bash
# Run a command as the unprivileged user, inside a work tree that this user can read, with cntnr in
# PATH. Root becomes cntnr-test (or $CNTNR_TEST_USER) in a copy of the tree; anybody else stays
# who and where they are.
#
# $CNTNR_TEST_HOME chooses another home for what cntnr keeps.
#
#   contrib/setup/as-user.sh cntnr compose -f examples/compose/hello/compose.yaml ps
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

if [ "$(id -u)" != 0 ]; then
  cd "$root"
  PATH=$root/.venv/bin:$PATH exec "$@"
fi

user=${CNTNR_TEST_USER:-cntnr-test}
place=$("$root/.venv/bin/python" "$root/contrib/setup/mirror.py" "$user")
home=${CNTNR_TEST_HOME:-$(getent passwd "$user" | cut -d: -f6)}
cd "$place/tree"
# The environment of root's session (XDG folders, keys) is not the user's.
exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups --reset-env \
  env HOME="$home" USER="$user" LOGNAME="$user" LANG=C.UTF-8 TERM="${TERM:-dumb}" \
  PATH="$place/venv/bin:/usr/local/bin:/usr/bin:/bin" "$@"
