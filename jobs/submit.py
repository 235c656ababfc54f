"""Run a step under spark-submit, which takes a script and no module.

    git archive -o cdm.zip HEAD jobs model schemas
    spark-submit --master spark://host:7077 --py-files cdm.zip jobs/submit.py label_candidates ...

The archive ships this project's code to the executors; the packages that it needs have to be in
their Python. The step's own flags follow its name.
"""

import sys
from importlib import import_module

if __name__ == "__main__":
    # A script's own folder comes first on the path, and jobs/profile is not the library's profile.
    sys.path.pop(0)
    step, *flags = sys.argv[1:] or ["--help"]
    if step in ("-h", "--help"):
        sys.stdout.write(f"{__doc__}\n")
        sys.exit(0)
    sys.exit(import_module(f"jobs.{step}").main(flags))
