"""What columns of logs are usually called, as patterns over names in small letters with _."""

import re
from collections.abc import Callable, Iterable

from jobs.profile.content import Content

NUMBERED = "_?(id|idx|no|nr|num|number|nummer|ref|key|code|hash|uuid|guid)"
"""What stands behind a thing to say that it is the thing's id."""
THINGS = (
    "item|article|artikel|product|produkt|prod|news|movie|video|song|track|book|ad|advert|doc|"
    "document|sku|asin|isbn|ean|gtin|photo|prop|business|candidate|creative|goods|wid|iid|post|"
    "listing|offer|hotel|produit|producto|prodotto"
)
REQUEST = ("(request|impression|imp|search|srch|query|page|page_?view)_?id|qid",)
SESSION = ("session_?id",)
NO_REQUEST = (
    "(.*_)?(query|keywords?|term|device|country|land|city|lang(uage)?|order|basket|cart|invoice|"
    "transaction|bestellung|warenkorb)(_.*)?"
)
"""What stands in several rows of one user and time, and is no request all the same."""
PEOPLE = (
    "user|member|customer|visitor|client|reader|person|account|shopper|buyer|kunden?|nutzer|"
    "benutzer|besucher|leser|utilisateur|cliente|usuario"
)
USER = (
    f"({PEOPLE})({NUMBERED})?|uid|id_({PEOPLE})",
    "(session|device|cookie|profile)_?id",
)
TIME = (
    "ts|time|timestamp|date_?time|epoch|zeit|zeitpunkt|zeitstempel",
    "(.*_)?(time|timestamp|ts|epoch|zeit|zeitpunkt|zeitstempel|uhrzeit|datum)(_.*)?",
    ".*date.*|.*_at|day|.*(zeit|datum)|(.*_)?(fecha|hora|heure|horodatage|moment)(_.*)?",
    "(.*_)?(ms|us|sec|secs|seconds|milliseconds|millis|micros|epoch.*)",
)
ITEM = (f"({THINGS})({NUMBERED})?|id_({THINGS})", f".*_({THINGS}){NUMBERED}")
ITEM_LIST = f"(.*_)?({THINGS}|impression|in_?view|shown|display|slate|result)s?(_.*)?"
NO_ITEM_LIST = "click|hist|label|purchas|time|score|type|qry|query|rank|position"
LABEL = (
    "label|labels|target|y",
    "(is_?)?click(ed|s)?(_bool)?",
    ".*(label|clic|klick|purchas|booking|booked|conver|rating|stars|like|engag).*",
    "(.*_)?(gekauft|kauf|kaeufe|käufe|bewertung)(_.*)?",
)
EVENT = (
    "(event|action|behaviou?r|interaction|activity|feedback)(_?(type|name|kind|action))?",
    "(.*_)?(event|action|behaviou?r|interaction)(_.*)?|aktion|ereignis",
)
"""What a row was: a view, a click, a purchase."""
WORTH = (
    "(product_?|item_?)?(click|klick|clk)(s|ed)?",
    "(purchase|buy|order|transaction|checkout|kauf)(s|d|ed)?|bought|conversion",
    ".*(click|klick|clk|purchas|buy|bought|order|transact|kauf|conver).*",
    ".*(cart|basket|warenkorb|fav|like|play|watch|read|listen).*",
    ".*view.*|pv",
)
"""Which of these counts as a click, the best first."""
EXPOSED = (".*(exposed|shown|impressed|displayed|viewed|in_?view|visible|gezeigt|sichtbar).*",)
SHOWN_RANK = ("(shown_?|display_?)?(rank|position|pos|rang|platz)",)
SCORE = (
    "(.*_)?scores?|pred|prediction|prob|probability|logit|pre_?rank.*",
    "(.*_)?(punkte|punktzahl|relevanz|relevance)",
)
CATEGORY = (
    "category|categories|genres?|topics?|class|section|department",
    ".*(categor|genre|kategorie).*|cate?(_.*)?|warengruppe|rubrik|ressort|thema|themen",
)
CODE = r"(.*_)?(id|code|no|nr|nummer|key|ref)(_\d+)?"
"""Numbers of which neither order nor size means anything."""


def is_called(column: Content, patterns: Iterable[str]) -> bool:
    """Whether a column has such a name."""
    return any(re.fullmatch(pattern, column.word) for pattern in patterns)


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
