r"""The final answer of a text, and the number that an answer states. Strict: in doubt there is no number.

The answer is what follows the last mark of the first kind that occurs: `\boxed{...}` or `\fbox{...}`; `####`;
"answer is" or "answer:" (to the end of the sentence). A box that is never closed holds no answer. Only ASCII digits are
digits; a comma separates groups of three digits and nothing else.
"""

from __future__ import annotations

import re
from decimal import Decimal

LONGEST = 500  # characters of an answer; a longer text is no checkable answer
_TAIL = 2000  # last characters, in which an unmarked answer is searched

_NUMBER = r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)"
_SHORT_UNITS = "mm|cm|dm|km|mg|kg|lbs?|oz|ml|ft|in|mi|yd|hr|min|sec|ms|mph|am|pm|usd|eur|gbp|m|g|s|h|l"
_UNIT = rf"(?:\s*(?:%|°)|\s*(?:{_SHORT_UNITS})(?![A-Za-z])|\s+[A-Za-z]{{3,}})"
_UNITS = rf"(?P<unit>{_UNIT}(?:[ /-]+[A-Za-z]+)*(?:\s?\^\s?\{{?[23]\}}?|²|³)?)"
_PLAIN = re.compile(rf"(?P<sign>[+-]?)\s?[$€£¥]?\s?(?P<number>{_NUMBER}){_UNITS}?\.?", re.IGNORECASE)
_MEASURED = re.compile(rf"(?P<value>.*[0-9)}}]){_UNITS}\.?", re.IGNORECASE)
_MARK = re.compile(r"\banswer[*_]*\s*(?:is|:|=)[*_]*\s*:?[*_]*", re.IGNORECASE)
_SENTENCE = re.compile(r"\.(?=\s|$)")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_SEVERAL = re.compile(r"[,;]\s|\b(?:and|or)\b|\n", re.IGNORECASE)
_CHANGING_WORDS = """
hundred hundreds thousand thousands million millions billion billions trillion trillions dozen dozens score
half halves third thirds quarter quarters tenth tenths hundredth hundredths thousandth thousandths
and or nor not to plus minus times over divided squared cubed factorial power mod choose point than if
pi theta alpha beta gamma delta sqrt sin cos tan log exp infinity
"""  # words after a number that change its value
_CHANGES = frozenset(_CHANGING_WORDS.split())
_OPERATORS = tuple("+-/^×÷·<>≤≥≠=")
_REFUSED_BEFORE = {"not", "or", "nor", "than", "plus", "minus", "times", "over"}


def marked(text: str) -> str | None:
    """Return the marked answer, None without a mark, "" if it is cut off or longer than LONGEST."""
    answer = _boxed(text)
    if answer is None and "####" in text:
        answer = text.rpartition("####")[2].lstrip().partition("\n")[0]
    if answer is None and (marks := list(_MARK.finditer(text))):
        line = text[marks[-1].end() :].lstrip().partition("\n")[0]
        answer = _SENTENCE.split(line, maxsplit=1)[0]
    if answer is None:
        return None
    return answer.strip() if len(answer) <= LONGEST else ""


def final(text: str) -> str:
    """Return what a text says in the end, so that equal answers are equal texts: its marked answer, else all of it."""
    answer = marked(text)
    stated = number(answer) if answer else None
    return (text if answer is None else answer).strip() if stated is None else f"{stated.normalize():f}"


def number(answer: str) -> Decimal | None:
    """Parse the number that an answer states: "12", "$1,234.50", "-3 apples", "12%", "5 + 7 = 12 cm^2"; None in doubt.

    Of a single equation the right side counts. Currency signs, %, degrees and units are ignored. With words that change
    a number ("12 million", "12 or 13") there is none, nor in anything else: "1_000", "12x", "1/2", "1 2".
    """
    answer = bare(answer)
    if "=" in answer and not _SEVERAL.search(answer):
        answer = bare(answer.rpartition("=")[2])
    match = _PLAIN.fullmatch(answer)
    if match is None:
        return None
    if match["unit"] and changes(match["unit"]):
        return None
    return Decimal(match["sign"] + match["number"].replace(",", ""))


def changes(answer: str) -> frozenset[str]:
    """Return the words in the answer that change the value of a number: million, half, not, or, ..."""
    return _CHANGES.intersection(re.findall(r"(?<![\\a-z])[a-z]+", bare(answer).lower()))


def without_unit(answer: str) -> str:
    r"""Strip the unit: `\frac{1}{2} inches` becomes `\frac{1}{2}`."""
    answer = bare(answer)
    match = _MEASURED.fullmatch(answer)
    return match["value"] if match and not changes(match["unit"]) else answer


def last_number(text: str) -> Decimal | None:
    """Parse the last word with a digit as a number, in a text without a marked answer.

    None when that word is no number on its own ("x12", "3/4", "12th"), or stands beside an operator or a word that
    negates or changes it ("5 - 12", "5 -12", "12 + x", "not 12", "11 or 12", "12 million").
    """
    words = _spaced(text[-_TAIL:]).split()
    k = next((k for k in reversed(range(len(words))) if re.search(r"\d", words[k])), None)
    if k is None:
        return None
    before = words[k - 1].lower() if k else ""
    after = words[k + 1].lower() if k + 1 < len(words) else ""
    ends_equation = before == "=" or words[k].startswith("=")
    if not ends_equation and (before.endswith(_OPERATORS) or before in _REFUSED_BEFORE or before == "*"):
        return None
    if re.match(r"[+-]", words[k]) and re.search(r"[0-9)]$", before):
        return None
    if after.startswith(_OPERATORS) or after == "*" or after.strip(".,;:?)*") in _CHANGES - {"and", "if", "to"}:
        return None
    return number(words[k].rstrip(".,;:?)]*\"'").lstrip("([*\"'"))


def bare(answer: str) -> str:
    r"""Strip decoration: Markdown, quotes, `$...$`, `\(...\)`, `\text{}`, spacing commands."""
    answer = _spaced(answer)
    answer = re.sub(r"\\(?:text|textbf|textit|mathrm|mathbf|mbox)\s*\{([^{}]*)\}", r" \1 ", answer)
    answer = re.sub(r"(?<!\\)\\[()\[\]]", " ", answer).replace("\\$", "$").replace("\\%", "%")
    answer = re.sub(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})|\\degree", "°", answer)
    answer = " ".join(answer.split()).strip("*`\"' ")
    if answer.endswith("$"):
        answer = answer.strip("$")
    return answer.strip("*`\"' ")


def _spaced(text: str) -> str:
    """Replace each TeX notation for a thousands separator, a minus or a space by a single one."""
    text = text.replace("−", "-").replace("{,}", ",").replace(",\\!", ",")
    text = re.sub(r"(?<=[0-9])\\[,!](?=[0-9])", ",", text)
    return re.sub(r"(?<!\\)\\[,;:! ]|~|\\q?quad\b", " ", text)


def _boxed(text: str) -> str | None:
    """Return the content of the last box, with balanced braces; "" for a box that is never closed."""
    openings = list(_BOX.finditer(text))
    if not openings:
        return None
    rest = text[openings[-1].end() :]
    depth = 1
    for brace in re.finditer(r"\\[{}\\]|[{}]", rest):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if depth == 0:
            return rest[: brace.start()]
    return ""
