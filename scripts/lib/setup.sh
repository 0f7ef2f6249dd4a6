# Sourced by scripts/setup, scripts/up and scripts/test: `meridian_setup` brings Node 24, nats-server and
# the npm packages, then exports PATH and NATS_SERVER. Nothing outside the repository is changed, no root is needed.
# Every piece is made in a temporary folder and moved into place, so an interrupted run can be repeated.

MERIDIAN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
MERIDIAN_TOOLS=${MERIDIAN_TOOLS:-$MERIDIAN_ROOT/.tools}
source "$MERIDIAN_ROOT/scripts/lib/nats-server.sh"

NODE_VERSION=24.21.0
NODE_SHA512_x64='3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=='
NODE_SHA512_arm64='FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g=='
NPM_VERSION=11.19.1
NPM_SHA512='ztsxKxt/kkIaAs+2i0GU6I+DRmUdrNasxTZKJe9TCdSjKxlhah/4r/hl5ygMD6XAg1qZ9c2TNomR4qgOydp10g=='

setup_say() { printf 'setup: %s\n' "$*"; }

# setup_fail <what happened> <what to do>
setup_fail() {
  printf 'setup: FAILED: %s\n' "$1" >&2
  shift
  printf '       %s\n' "$@" >&2
  return 1
}

setup_seconds() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", to - from }'; }

# setup_at_least <version> <major> <minor>
setup_at_least() {
  local major minor
  IFS=. read -r major minor _ <<<"${1#v}"
  [[ $major =~ ^[0-9]+$ && $minor =~ ^[0-9]+ ]] || return 1
  minor=${BASH_REMATCH[0]}
  ((major > $2 || (major == $2 && minor >= $3)))
}

setup_node_version() { "$1" --version 2>/dev/null || true; }

# The node to use: ours when it is there, else the machine's when it is new enough.
setup_node_found() {
  local candidate
  for candidate in "$MERIDIAN_TOOLS/node/bin/node" "$(command -v node || true)"; do
    [ -n "$candidate" ] && [ -x "$candidate" ] || continue
    setup_at_least "$(setup_node_version "$candidate")" 24 0 && echo "$candidate" && return 0
  done
  return 1
}

# setup_npm_package <name> <version> <sha512, base64> <folder to make>: a package from the npm registry, verified.
setup_npm_package() {
  local made="$SETUP_TEMP/${1//\//-}" tarball actual
  mkdir -p "$made/out"
  npm pack "$1@$2" --pack-destination "$made" --silent >/dev/null ||
    setup_fail "npm could not fetch $1@$2" "Is the npm registry reachable? Try: npm ping" || return 1
  tarball=$(find "$made" -maxdepth 1 -name '*.tgz' | head -n 1)
  actual=$(node -e '
    const bytes = require("node:fs").readFileSync(process.argv[1]);
    console.log(require("node:crypto").createHash("sha512").update(bytes).digest("base64"));' "$tarball")
  [ "$actual" = "$3" ] ||
    setup_fail "$1@$2 has SHA-512 $actual, expected $3" "The package is not the pinned one; nothing was installed." || return 1
  tar -xzf "$tarball" -C "$made/out" --strip-components=1
  rm -rf "$4"
  mv "$made/out" "$4"
}

setup_node() {
  local arch pin started=$EPOCHREALTIME have
  setup_node_found >/dev/null && return 0
  command -v node >/dev/null && command -v npm >/dev/null ||
    setup_fail 'node and npm are not on the PATH' "Install Node 20 or newer with npm (24 is best), then repeat." || return 1
  have=$(setup_node_version node)
  case "$(uname -sm)" in
    'Linux x86_64') arch=x64 ;;
    'Linux aarch64') arch=arm64 ;;
    *) setup_fail "node is $have and no Node 24 is pinned for $(uname -sm)" 'Install Node 24 yourself, then repeat.' || return 1 ;;
  esac
  setup_say "node on the PATH is $have; fetching Node $NODE_VERSION into .tools/node"
  pin=NODE_SHA512_$arch
  setup_npm_package "node-linux-$arch" "$NODE_VERSION" "${!pin}" "$MERIDIAN_TOOLS/node" || return 1
  setup_at_least "$(setup_node_version "$MERIDIAN_TOOLS/node/bin/node")" 24 0 ||
    setup_fail "the fetched Node does not run on this machine (libc $(getconf GNU_LIBC_VERSION 2>/dev/null))" \
      'Install Node 24 yourself, then repeat.' || return 1
  setup_say "node $NODE_VERSION ok ($(setup_seconds "$started"))"
}

# npm 11 is the first that reads `allowScripts`; an older one gets a pinned npm beside it.
setup_npm() {
  local name started=$EPOCHREALTIME
  setup_at_least "$(npm --version 2>/dev/null)" 11 0 && return 0
  setup_say "npm on the PATH is $(npm --version 2>/dev/null || echo missing); fetching npm $NPM_VERSION into .tools/npm"
  setup_npm_package npm "$NPM_VERSION" "$NPM_SHA512" "$MERIDIAN_TOOLS/npm" || return 1
  mkdir -p "$MERIDIAN_TOOLS/bin"
  for name in npm npx; do
    printf '#!/bin/sh\nexec node "$(dirname "$0")/../npm/bin/%s-cli.js" "$@"\n' "$name" >"$SETUP_TEMP/shim"
    chmod +x "$SETUP_TEMP/shim"
    mv "$SETUP_TEMP/shim" "$MERIDIAN_TOOLS/bin/$name"
  done
  hash -r
  setup_say "npm $NPM_VERSION ok ($(setup_seconds "$started"))"
}

setup_stamp() { (cd "$MERIDIAN_ROOT" && sha256sum package-lock.json && node --version && uname -m) | sha256sum | cut -c1-64; }

setup_packages_fresh() {
  local stamp="$MERIDIAN_ROOT/node_modules/.meridian-setup"
  [ -f "$stamp" ] || return 1
  [ "$(<"$stamp")" = "$(setup_stamp)" ]
}

setup_packages() {
  local started=$EPOCHREALTIME folder="$MERIDIAN_ROOT/node_modules" log="$SETUP_TEMP/npm.log"
  setup_packages_fresh && return 0
  # A developer's own `npm install` is taken as it is when it holds what the lock file asks for.
  if ! node "$MERIDIAN_ROOT/scripts/lib/installed.js" "$MERIDIAN_ROOT" 2>/dev/null; then
    setup_npm || return 1
    setup_say 'npm packages: npm ci'
    (cd "$MERIDIAN_ROOT" && npm ci --no-audit --no-fund --prefer-offline) >"$log" 2>&1 || {
      tail -n 25 "$log" >&2
      setup_fail 'npm ci did not succeed (its last lines are above)' \
        'Not in step with package.json? Run: npm install && node scripts/checks/lockfile.ts --fix' \
        'Otherwise look at the network or the proxy, then repeat; what is finished is kept.' || return 1
    }
  fi
  local postgres
  postgres=$(find "$folder/@embedded-postgres" -path '*/native/bin/postgres' 2>/dev/null | head -n 1)
  [ -z "$postgres" ] || "$postgres" --version >/dev/null 2>&1 ||
    setup_say "WARNING: the embedded Postgres does not run here ($postgres); set DATABASE_URL to use a server of your own"
  setup_stamp >"$SETUP_TEMP/stamp" && mv "$SETUP_TEMP/stamp" "$folder/.meridian-setup"
  setup_say "npm packages ok ($(setup_seconds "$started"))"
}

setup_path() {
  local node
  export PATH="$MERIDIAN_TOOLS/bin:$PATH"
  if node=$(setup_node_found); then export PATH="$(dirname "$node"):$PATH"; fi
  hash -r
}

setup_install() (
  set -euo pipefail
  mkdir -p "$MERIDIAN_TOOLS"
  exec 9>"$MERIDIAN_TOOLS/.setup.lock"
  if command -v flock >/dev/null && ! flock -n 9; then
    setup_say 'another setup is at work here; waiting for it'
    flock 9
  fi
  SETUP_TEMP=$(mktemp -d "$MERIDIAN_TOOLS/.new.XXXXXX")
  trap 'rm -rf "$SETUP_TEMP"' EXIT
  trap 'exit 130' INT TERM
  # Each step is named: `set -e` is off inside a list of conditions.
  setup_node || exit 1
  setup_path
  nats_server_install || exit 1
  setup_packages || exit 1
)

meridian_setup() {
  local started=$EPOCHREALTIME
  setup_path
  if ! { setup_node_found >/dev/null && nats_server_found >/dev/null && setup_packages_fresh; }; then
    setup_install || return 1
    setup_path
  fi
  NATS_SERVER=$(nats_server_found)
  export NATS_SERVER
  setup_say "ready: node $(node --version), nats-server $(nats_server_version "$NATS_SERVER") ($(setup_seconds "$started"))"
}

# Compiles what changed: meridian_build [project]; quick when nothing did.
meridian_build() {
  local started=$EPOCHREALTIME
  (cd "$MERIDIAN_ROOT" && node_modules/.bin/tsc -b "${1:-.}") ||
    { setup_fail 'the sources do not compile (errors above)' 'Run scripts/test --checks for all of them.'; return 1; }
  setup_say "sources compiled ($(setup_seconds "$started"))"
}
