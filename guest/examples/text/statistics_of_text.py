"""What words a text is made of, and what a heap of numbers amounts to."""

import re
import statistics
from collections import Counter

from componentize_py_types import Err
from wit_world import Frequency
from wit_world.imports import sql
from wit_world.imports.types import Error

# Letters and digits, with apostrophes inside: "don't" is one word.
WORD = re.compile(r"\w+(?:['’]\w+)*")
BATCH_ROWS = 1000


class WitWorld:
    """Each method is a routine."""

    def word_frequencies(self, text, most):
        return most_frequent(words(text), most)

    def word_frequencies_of(self, query, most):
        with sql.query(query, []) as rows:
            columns = rows.columns()
            if len(columns) != 1 or columns[0].type_name != "text":
                found = ", ".join(f"{column.name} {column.type_name}" for column in columns)
                raise Err(Error("42804", f"the query has to answer one column of type text, not {found or 'none'}", None, None))
            counts = Counter()
            while batch := rows.next(BATCH_ROWS):
                for (value,) in batch:
                    # NULL has no value.
                    counts.update(words(getattr(value, "value", "")))
        return most_frequent(counts, most)

    def median(self, values):
        return statistics.median(values) if values else None

    def trimmed_mean(self, values, cut):
        if not 0 <= cut < 0.5:
            raise Err(Error("22023", f"a cut of {cut} leaves nothing", None, "it is from 0 to below 0.5"))
        if not values:
            raise Err(Error("22023", "there are no values", None, None))
        dropped = int(len(values) * cut)
        return statistics.fmean(sorted(values)[dropped : len(values) - dropped])


def words(text):
    return Counter(WORD.findall(text.lower()))


def most_frequent(counts, most):
    total = counts.total()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Frequency(word, count, count / total) for word, count in ordered[:most]]
