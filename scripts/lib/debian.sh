# Debian packages unpacked privately: apt with its own lists and cache and the machine's own mirror. Nothing is
# installed, and apt verifies the signature of everything it fetches.
# shellcheck shell=bash

APT_LIMIT=${MODGATE_DOWNLOAD_LIMIT:-600}
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# A Debian mirror is told by the suites it is used for here; security and updates live elsewhere or hold only a part.
DEBIAN_SUITES='bullseye|bookworm|trixie|forky|sid|oldstable|stable|testing|unstable'

# download_debian SUITE SIZE INSTEAD PACKAGE...: into $STAGE/debs. INSTEAD says what to do without them.
download_debian() {
  local suite=$1 size=$2 instead=$3 tool
  shift 3
  for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || fail "this needs Debian packages and the machine has no $tool; $instead"
  done
  open_mirror "$suite" "$instead"
  say "downloading from Debian $suite ($size with the index)"
  mkdir -p "$STAGE/debs"
  twice private_apt_in "$STAGE/debs" download "$@" ||
    cannot_have "Debian's ${1%%=*}" "apt-get download from suite $suite failed" "check the network and run it again, or $instead"
}

# unpack_debian PACKAGE [FOLDER]: what was downloaded, or only that folder of it, into $STAGE/root.
unpack_debian() {
  local name=${1%%=*}
  mkdir -p "$STAGE/root"
  # shellcheck disable=SC2016  # the inner shell's
  run_limited 300 sh -c 'set -e; dpkg-deb --fsys-tarfile "$1/$2"_*.deb >"$1/$2.tar"; tar -x -f "$1/$2.tar" -C "$3" ${4:+"./$4"}' \
    sh "$STAGE/debs" "$name" "$STAGE/root" "${2:-}" ||
    cannot_have "Debian's $name" "it could not be unpacked" "check that the disk has room and run it again"
  rm -f "$STAGE/debs/$name".tar "$STAGE/debs/$name"_*.deb
}

# open_mirror SUITE INSTEAD: finds the first of the machine's Debian mirrors that serves the suite.
open_mirror() {
  local suite=$1 instead=$2 uri keyring tried=0
  mkdir -p "$STAGE"/apt/{lists/partial,cache/archives/partial,sources}
  : >"$STAGE/apt/status"
  say "reading the package index of Debian $suite"
  while IFS='|' read -r uri keyring; do
    tried=$((tried + 1))
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nTargets: Packages\nSigned-By: %s\n' \
      "$uri" "$suite" "$keyring" >"$STAGE/apt/sources/debian.sources"
    twice private_apt update -o APT::Update::Error-Mode=any && return 0
  done < <(debian_mirrors)
  ((tried > 0)) || fail "this needs Debian's suite $suite and the machine's apt sources name no Debian mirror; add one, or $instead"
  cannot_have "the package index of Debian $suite" "apt-get update failed with each Debian mirror of the machine's apt sources" \
    "check the network and that the package debian-archive-keyring is up to date and run it again, or $instead"
}

# private_apt COMMAND...: the machine's settings (its proxy, its certificates) hold, its hooks, pins and lists do not.
private_apt() {
  private_apt_in "$STAGE" "$@"
}

private_apt_in() {
  local folder=$1
  shift
  cat >"$STAGE/apt/apt.conf" <<-CONF
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear DPkg::Pre-Invoke;
	#clear DPkg::Post-Invoke;
	Dir::Etc::SourceList "/dev/null";
	Dir::Etc::SourceParts "$STAGE/apt/sources";
	Dir::Etc::Preferences "/dev/null";
	Dir::Etc::PreferencesParts "/dev/null";
	Dir::State "$STAGE/apt";
	Dir::State::Lists "$STAGE/apt/lists";
	Dir::State::Status "$STAGE/apt/status";
	Dir::Cache "$STAGE/apt/cache";
	Dir::Cache::Archives "$STAGE/apt/cache/archives";
	APT::Sandbox::User "root";
	APT::Get::AllowUnauthenticated "false";
	Acquire::AllowInsecureRepositories "false";
	Acquire::AllowWeakRepositories "false";
	Acquire::AllowDowngradeToInsecureRepositories "false";
	Acquire::Languages "none";
	Acquire::Retries "0";
	Acquire::http::Timeout "30";
	Acquire::https::Timeout "30";
	CONF
  run_limited "$APT_LIMIT" env -u APT_CONFIG -C "$folder" LC_ALL=C apt-get -q -c "$STAGE/apt/apt.conf" "$@"
}

# debian_mirrors: one `URI|KEYRING` a line, from the machine's apt sources in both formats, Debian-looking ones first.
debian_mirrors() {
  local sources=${MODGATE_APT_SOURCES:-/etc/apt} uri suite components keyring
  { one_line_sources "$sources"; deb822_sources "$sources"; } |
    while IFS='|' read -r uri suite components keyring; do
      [[ $suite =~ ^($DEBIAN_SUITES)$ && " $components " == *" main "* ]] || continue
      [[ -r $keyring ]] || keyring=$DEBIAN_KEYRING
      printf '%d|%s|%s\n' "$([[ $uri == *debian* ]] && echo 0 || echo 1)" "${uri%/}" "$keyring"
    done | awk -F'|' '!seen[$2]++' | sort -s -t'|' -k1,1 | cut -d'|' -f2-
}

# Both print `URI|SUITE|COMPONENTS|KEYRING`, an entry for each URI and suite. A key written into the sources themselves
# or a `trusted` mark is not carried over: Debian's own keyring decides then.
one_line_sources() {
  local file
  for file in "$1"/sources.list "$1"/sources.list.d/*.list; do
    [[ ! -r $file ]] || sed 's/#.*//' "$file"
  done | awk '
    $1 == "deb" {
      key = ""; first = 2
      if ($2 ~ /^\[/) {
        for (first = 2; first <= NF; first++) {
          option = $first; gsub(/[][]/, "", option)
          if (option ~ /^signed-by=/) { key = substr(option, 11); sub(/,.*/, "", key) }
          if ($first ~ /\]$/) break
        }
        first++
      }
      components = ""
      for (i = first + 2; i <= NF; i++) components = components " " $i
      print $first "|" $(first + 1) "|" components "|" key
    }'
}

deb822_sources() {
  local file
  for file in "$1"/sources.list.d/*.sources; do
    [[ -r $file ]] || continue
    sed '/^#/d' "$file"
    printf '\n\n'
  done | awk '
    function emit(   i, j, u, s, n, m) {
      if ((" " field["types"] " ") ~ / deb / && field["enabled"] !~ /^(no|false|0)$/) {
        n = split(field["uris"], u, " "); m = split(field["suites"], s, " ")
        split(field["signed-by"], key, " ")
        for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) print u[i] "|" s[j] "|" field["components"] "|" key[1]
      }
      delete field; name = ""
    }
    /^[ \t]*$/ { emit(); next }
    /^[ \t]/ { field[name] = field[name] " " $0; next }
    { colon = index($0, ":"); name = tolower(substr($0, 1, colon - 1)); value = substr($0, colon + 1)
      gsub(/^[ \t]+|[ \t\r]+$/, "", value); field[name] = value }
    END { emit() }'
}
