#!/bin/sh
# Makes a fresh clone ready: installs the npm dependencies when they are missing or not those of package-lock.json.
# Runs on any Node that npm runs on; the dependency `node` then puts Node 24 first on the path of npm scripts.
set -eu
cd "$(dirname "$0")/.."
installed=node_modules/.package-lock.json

is_current() {
  [ -f "$installed" ] || return 1
  [ -n "$(find package-lock.json -newer "$installed")" ] || return 0
  # Newer by its date alone (a fresh checkout, a git switch): compare what both say.
  node -e '
    const read = (file) => JSON.parse(require("fs").readFileSync(file, "utf8")).packages
    const [want, have] = process.argv.slice(1).map(read)
    for (const [path, { version, optional }] of Object.entries(want)) {
      if (path !== "" && have[path]?.version !== version && !(optional && have[path] === undefined)) process.exit(1)
    }
  ' package-lock.json "$installed" || return 1
  touch "$installed"
}

if is_current; then exit 0; fi
echo 'Installing npm dependencies'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# npm ci refuses a lock that lacks an optional package of another platform, as one made behind a partial mirror does;
# npm install takes the locked versions all the same, and with --no-save it leaves both files as they are.
if ! npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1 &&
  ! npm install --no-save --no-audit --no-fund --loglevel=error >>"$log" 2>&1; then
  echo 'npm could not install the dependencies; its last lines:' >&2
  tail -n 15 "$log" >&2
  exit 1
fi
touch "$installed"
