"""Run a DAG for each day that standard input names, as `airflow dags test` does for one.

Airflow takes a quarter of a minute to start; here the days share one start. A line on standard
output says how each has ended.
"""

import json
import sys
from datetime import UTC, datetime

from airflow.utils.cli import get_bagged_dag

from dags.followed_run import DAY_ENDED


def main() -> None:
    """Run the days of the DAG and with the configuration (JSON) that the two arguments give."""
    dag_id, conf = sys.argv[1:]
    dag = get_bagged_dag(bundle_names=None, dag_id=dag_id)
    for line in sys.stdin:
        day = datetime.fromisoformat(line.strip()).replace(tzinfo=UTC)
        run = dag.test(logical_date=day, run_conf=json.loads(conf))
        print(f"{DAY_ENDED}{run.state}", flush=True)


if __name__ == "__main__":
    main()
