"""Which Java Spark runs on: the machine's, or the one that the set-up put into the environment."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from jobs.errors import Refused

# Spark 4.0 is compiled for 17 and fails from 23 on, where Hadoop's Subject.getSubject is refused.
OLDEST, NEWEST = 17, 21


def java_major(java: str | Path) -> int | None:
    """Return the major version that `java -version` tells, or None if it tells none."""
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', told.stderr)
    return int(version[1]) if version else None


def _fits(java: str | Path) -> bool:
    major = java_major(java)
    return major is not None and OLDEST <= major <= NEWEST


def java_home() -> Path | None:
    """Return the JAVA_HOME to start Spark with, or None where `java` on PATH serves as it is."""
    named = os.environ.get("JAVA_HOME")
    if named and _fits(Path(named, "bin", "java")):
        return Path(named)
    on_path = shutil.which("java")
    if on_path and _fits(on_path):
        if not named:
            return None
        # Spark would take the unfit JAVA_HOME before PATH, so the fit one must be named instead.
        home = Path(on_path).resolve().parents[1]
        if (home / "bin" / "java").is_file():
            return home
    fallback = Path(sys.prefix, "java")
    if (fallback / "bin" / "java").is_file():
        return fallback
    raise Refused(
        f"no Java {OLDEST} to {NEWEST} at JAVA_HOME ({named or 'not set'}) or on PATH: "
        f"install one (`apt install openjdk-17-jre-headless`) or let `make setup` fetch one"
    )
