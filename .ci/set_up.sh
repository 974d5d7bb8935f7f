# Sourced by run and test: set_up LOCK makes .venv with the packages of LOCK and builds the web bundle; each step is skipped while its inputs are
# unchanged. Sets DOWNLOADS and OWN, whole seconds spent on fetching and on our own work.
DOWNLOADS=0
OWN=0

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
now() { date +%s; }

# timed fetch|work COMMAND…: runs the command quietly, shows its output only when it fails, and books the time.
timed() {
  kind=$1; shift
  began=$(now)
  mkdir -p "$ROOT/.venv"
  "$@" >"$ROOT/.venv/set_up.log" 2>&1 || { cat "$ROOT/.venv/set_up.log" >&2; fail "failed: $*"; }
  spent=$(($(now) - began))
  if [ "$kind" = fetch ]; then DOWNLOADS=$((DOWNLOADS + spent)); else OWN=$((OWN + spent)); fi
}

find_python() {
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# The stamp of a step: a checksum of the files and words it depends on.
stamp_of() { cat "$@" | cksum | tr -d '\n'; }
fresh() { [ -f ".venv/$1.stamp" ] && [ "$(cat ".venv/$1.stamp")" = "$2" ]; }
stamped() { printf '%s' "$2" >".venv/$1.stamp"; }

make_environment() {
  if .venv/bin/python -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1 && [ -x .venv/bin/uv ]; then
    return 0
  fi
  python=$(find_python) || fail "Motcua needs Python 3.11 or newer: install it (Debian, Ubuntu: apt install python3 python3-venv), or set PYTHON to one"
  say "Python environment …"
  rm -rf .venv
  if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    timed work "$python" -m venv .venv
    timed fetch .venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'
  elif "$python" -m pip --version >/dev/null 2>&1; then
    # Debian without python3-venv: uv makes environments by itself
    mkdir -p .venv/bootstrap
    timed fetch "$python" -m pip install --quiet --disable-pip-version-check --target .venv/bootstrap 'uv==0.13.9'
    mv .venv/bootstrap "$ROOT/.bootstrap"
    rm -rf .venv
    timed work "$ROOT/.bootstrap/bin/uv" venv --quiet --python "$python" .venv
    timed fetch "$ROOT/.bootstrap/bin/uv" pip install --quiet --python .venv/bin/python 'uv==0.13.9'
    rm -rf "$ROOT/.bootstrap"
  else
    fail "Python has neither venv nor pip here: apt install python3-venv"
  fi
}

install_packages() {
  stamp=$(stamp_of "$1" pyproject.toml)
  # An environment made for the tests holds all that a run needs.
  if fresh packages "$stamp" || { [ "$1" = requirements.lock ] && fresh packages "$(stamp_of requirements-test.lock pyproject.toml)"; }; then
    return 0
  fi
  say "Python packages …"
  timed fetch .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$1"
  timed work .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
  timed work .venv/bin/python -m compileall -q -j 0 engine webapp signing
  stamped packages "$stamp"
}

build_bundle() {
  [ -f webapp/assets/package-lock.json ] || return 0
  stamp=$(find webapp/assets -type f -not -path '*/node_modules/*' | LC_ALL=C sort | xargs cat | cksum | tr -d '\n')
  if fresh bundle "$stamp" && [ -f webapp/static/dist/manifest.json ]; then
    return 0
  fi
  if ! fresh node_modules "$(stamp_of webapp/assets/package-lock.json)" || [ ! -d webapp/assets/node_modules ]; then
    say "Web packages and fonts …"
    timed fetch npm --prefix webapp/assets ci --no-audit --no-fund --loglevel=error
    stamped node_modules "$(stamp_of webapp/assets/package-lock.json)"
  fi
  say "Web bundle …"
  timed work npm --prefix webapp/assets run --silent build
  stamped bundle "$stamp"
}

install_oracles() {
  # Other implementations of the same standards that tests compare ours with; a run needs none of them.
  [ "$1" = requirements-test.lock ] && [ -f tests/interop/package-lock.json ] || return 0
  stamp=$(stamp_of tests/interop/package-lock.json)
  if fresh oracles "$stamp" && [ -d tests/interop/node_modules ]; then
    return 0
  fi
  say "Oracles …"
  timed fetch npm --prefix tests/interop ci --no-audit --no-fund --loglevel=error
  stamped oracles "$stamp"
}

set_up() {
  # The environment's own Node is used before the computer's: it is the version everything was tried with.
  PATH="$ROOT/.venv/bin:$PATH"
  export PATH
  make_environment
  install_packages "$1"
  build_bundle
  install_oracles "$1"
}
