"""What a command turns into a message instead of a traceback."""


class Refused(Exception):
    """Bad input: the message names the file, column or id, the value, and the next move."""


class NothingToDo(Exception):
    """This step has no work on this day; the command exits with 99, which Airflow skips on."""


class Died(Exception):
    """A process that did the work is gone; a rerun may do it. The command exits with 1."""


class Held(Exception):
    """Another run is at work there, or has taken it over; a later run finds it done or free.

    The command exits with 75, which is tried again.
    """
