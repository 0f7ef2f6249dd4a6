# Part of scripts/lib/setup.sh: finds or brings a nats-server of 2.14 or newer (durable mirrors, schedules).

NATS_GO_MODULE=github.com/nats-io/nats-server/v2@v2.15.1

nats_server_version() { "$1" --version 2>/dev/null | sed -n 's/^nats-server: v\{0,1\}//p'; }

nats_server_new_enough() { [ -x "$1" ] && setup_at_least "$(nats_server_version "$1")" 2 14; }

nats_server_found() {
  local candidate
  if [ -n "${NATS_SERVER:-}" ] && nats_server_new_enough "$NATS_SERVER"; then
    echo "$NATS_SERVER"
    return 0
  fi
  for candidate in "$MERIDIAN_TOOLS/bin/nats-server" $(type -aP nats-server || true); do
    if nats_server_new_enough "$candidate"; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# Where this machine gets Debian packages from: one "uri|keyring" a line, from its own apt configuration.
nats_server_mirrors() {
  local codename
  codename=$(. /etc/os-release 2>/dev/null && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-sid}")
  [ -n "$codename" ] || return 0
  # deb822 files: one stanza a paragraph.
  cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk -v codename="$codename" '
    function flush() {
      if (uris && enabled != "no" && (" " suites " ") ~ (" " codename " ") && (" " components " ") ~ / main /)
        print uris "|" signed
      uris = suites = components = signed = enabled = ""
    }
    /^[ \t]*$/ { flush(); next }
    { key = tolower($1); value = $0; sub(/^[^:]*:[ \t]*/, "", value) }
    key == "uris:" { split(value, all, " "); uris = all[1] }
    key == "suites:" { suites = value }
    key == "components:" { components = value }
    key == "signed-by:" { signed = value }
    key == "enabled:" { enabled = tolower(value) }
    END { flush() }'
  # One-line files: deb [options] uri suite components
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | awk -v codename="$codename" '
    $1 != "deb" { next }
    {
      signed = ""
      if (match($0, /\[[^]]*\]/)) {
        options = substr($0, RSTART + 1, RLENGTH - 2)
        if (match(options, /signed-by=[^ ]*/)) signed = substr(options, RSTART + 10, RLENGTH - 10)
        sub(/\[[^]]*\][ \t]*/, "")
      }
      if ($3 == codename && $0 ~ /(^| )main( |$)/) print $2 "|" signed
    }'
}

# A private apt root: its own lists, cache, status and sources, so the system's apt is neither used up nor changed.
# Release files are verified by apt with the machine's Debian keyring.
nats_server_apt_root() { # <folder> <uri> <keyring> <suite>
  mkdir -p "$1"/{state/lists/partial,cache/archives/partial,etc}
  : >"$1/status"
  printf 'deb [signed-by=%s] %s %s main\n' "$3" "$2" "$4" >"$1/etc/sources.list"
  cat >"$1/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
Dir::State "$1/state";
Dir::State::status "$1/status";
Dir::Cache "$1/cache";
Dir::Etc::sourcelist "$1/etc/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
APT::Sandbox::User "";
CONF
}

nats_server_from_debian() {
  local suite mirror uri keyring root log="$SETUP_TEMP/apt.log"
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  setup_at_least "$(getconf GNU_LIBC_VERSION 2>/dev/null | awk '{ print $2 }')" 2 34 || return 1
  for suite in forky sid; do
    for mirror in $(nats_server_mirrors | sort -u); do
      uri=${mirror%%|*}
      keyring=${mirror##*|}
      [ -n "$keyring" ] || keyring=$(ls /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} 2>/dev/null | head -n 1)
      [ -r "$keyring" ] || continue
      root="$SETUP_TEMP/apt-$suite"
      rm -rf "$root"
      nats_server_apt_root "$root" "$uri" "$keyring" "$suite"
      setup_say "nats-server: trying the Debian package of $suite (signature checked, unpacked here, not installed)"
      if timeout 300 apt-get -q -c "$root/apt.conf" update >>"$log" 2>&1 &&
        (cd "$root" && timeout 300 apt-get -q -c "$root/apt.conf" download nats-server) >>"$log" 2>&1 &&
        dpkg-deb -x "$root"/nats-server_*.deb "$root/out" >>"$log" 2>&1; then
        nats_server_take "$(find "$root/out" -type f -name nats-server -perm -u+x | head -n 1)" && return 0
      fi
      grep -E '^(E|W|Err)' "$log" | tail -n 2 | sed 's/^/       /' || true
    done
  done
  return 1
}

nats_server_from_go() {
  local version log="$SETUP_TEMP/go.log"
  command -v go >/dev/null || return 1
  version=$(go env GOVERSION 2>/dev/null)
  setup_at_least "${version#go}" 1 24 || return 1
  setup_say "nats-server: building $NATS_GO_MODULE with Go (a few minutes the first time)"
  if ! GOBIN="$SETUP_TEMP/go-bin" GOFLAGS= go install -trimpath "$NATS_GO_MODULE" >"$log" 2>&1; then
    tail -n 5 "$log" | sed 's/^/       /'
    return 1
  fi
  nats_server_take "$SETUP_TEMP/go-bin/nats-server"
}

nats_server_take() { # <binary that was made>
  [ -n "$1" ] && nats_server_new_enough "$1" || return 1
  mkdir -p "$MERIDIAN_TOOLS/bin"
  mv "$1" "$MERIDIAN_TOOLS/bin/nats-server"
}

nats_server_install() {
  local started=$EPOCHREALTIME
  if [ -n "${NATS_SERVER:-}" ] && ! nats_server_new_enough "$NATS_SERVER"; then
    setup_say "NATS_SERVER=$NATS_SERVER is not a nats-server of 2.14 or newer; looking elsewhere"
  fi
  nats_server_found >/dev/null && return 0
  if nats_server_from_debian || nats_server_from_go; then
    setup_say "nats-server $(nats_server_version "$MERIDIAN_TOOLS/bin/nats-server") ok ($(setup_seconds "$started"))"
    return 0
  fi
  setup_fail 'no nats-server of 2.14 or newer, and neither Debian (forky, sid) nor Go (>= 1.24) could bring one' \
    'Either install Go and repeat, or download a release of nats-server for this machine from its project page,' \
    'unpack it, and say where it is: NATS_SERVER=/path/to/nats-server scripts/setup'
}
