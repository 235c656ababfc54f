"""What columns of logs are usually called, as patterns over names in small letters with _."""

import re
from collections.abc import Callable, Iterable

from jobs.profile.content import Content

THINGS = (
    "item|article|product|prod|news|movie|video|song|track|book|ad|advert|doc|document|sku|photo|"
    "prop|business|candidate|creative|goods|wid|iid|post"
)
REQUEST = ("(request|impression|imp|search|srch|query|page|page_?view)_?id|qid",)
SESSION = ("session_?id",)
USER = (
    "(user|member|customer|visitor|client|reader|person)(_?(id|idx|no))?|uid",
    "(session|device|cookie|profile)_?id",
)
TIME = ("ts|time|timestamp|date_?time", "(.*_)?(time|timestamp|ts)(_.*)?", ".*date.*|.*_at|day")
ITEM = (f"({THINGS})(_?(id|idx|no))?", f".*_({THINGS})_?id")
ITEM_LIST = f"(.*_)?({THINGS}|impression|in_?view|shown|display|slate|result)s?(_.*)?"
NO_ITEM_LIST = "click|hist|label|purchas|time|score|type|qry|query|rank|position"
LABEL = (
    "label|labels|target|y",
    "(is_?)?click(ed|s)?(_bool)?",
    ".*(label|click|purchas|booking|booked|conver|rating|stars|like).*",
)
EXPOSED = (".*(exposed|shown|impressed|displayed|viewed|in_?view).*",)
SHOWN_RANK = ("(shown_?|display_?)?(rank|position|pos)",)
SCORE = ("(.*_)?scores?|pred|prediction|prob|probability|logit|pre_?rank.*",)
CATEGORY = (
    "category|categories|genres?|topics?|class|section|department",
    ".*(categor|genre).*|cate?(_.*)?",
)
CODE = r"(.*_)?(id|code|no)(_\d+)?"
"""Numbers of which neither order nor size means anything."""


def column_named(
    columns: Iterable[Content], patterns: Iterable[str], fits: Callable[[Content], bool]
) -> Content | None:
    """Return the first column that is called so and fits, by the first pattern that has one."""
    columns = list(columns)
    for pattern in patterns:
        for column in columns:
            if re.fullmatch(pattern, column.word) and fits(column):
                return column
    return None
