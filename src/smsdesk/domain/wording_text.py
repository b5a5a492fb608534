"""What a person typed on a phone, brought to plain words: one spelling for what has many."""

import re
import unicodedata

LONGEST = 2_000
"""Characters that are read: more than ten parts of a text hold. What stands behind them is for a person."""

_SIGNS = {
    "🛑": " stop ", "🖕": " rudesign ", "🚫": " nosign ", "✋": " nosign ", "🤬": " rudesign ",
    "😂": " haha ", "🤣": " haha ", "😆": " haha ", "😜": " haha ", "😅": " haha ",
}  # fmt: skip
"""Signs that say something; the others are left out."""

_LEET = str.maketrans("013457$@", "oieastsa")
_LEET_WORDS = frozenset({"stop", "stops", "quit", "text", "texts", "texting", "unsubscribe", "remove", "message",
                         "messages", "spam", "please", "cancel", "list", "alto", "paren", "mensajes"})  # fmt: skip
"""Digits are read as letters only where one of these words comes of it: `5pm` stays an hour."""
_SPELT = frozenset({"stop", "quit", "end", "alto", "unsubscribe", "optout"})
"""Words that people write letter by letter."""

_SPELLINGS = {
    "please": "pls plz plez plse pleas plese pleese pleez plzz pleeze",
    "stop": "stp stpo sotp tsop sopt stip stopp stopit stahp stap stopps dtop atop syop stoo stpp stoppit",
    "quit": "quitt qiut",
    "text": "texts txt txts msg msgs mssg mssgs message messages mesage mesages messge messges massege masseges sms "
            "smss mms txtmsg",
    "texting": "txting txtn txtin textin texing textting tecting texring messaging mesaging messging messagin msging "
               "messgaing",
    "you": "u yall yalls",
    "your": "ur youre yer",
    "dont": "dnt",
    "thanks": "thx thnx tks tnx ty thankyou thank",
    "with": "w wit",
    "unsubscribe": "unsub unsubb unsubs unsuscribe unsubcribe unsubscibe unscribe unsuscrib unsubscrible "
                   "unsubcrible unsubscripe",
    "remove": "remov remve remoove rmove",
    "sending": "sendin sendng sening",
    "haha": "lol lmao hahaha hahah jaja jajaja jajaj jeje rofl lmfao",
    "mensaje": "mensajes msj msjs msjes mensages mensage mensajitos texto textos smses",
    "numero": "nro numro",
    "que": "q k",
    "de": "d",
    "equivocado": "equibocado ekivocado ekibocado equivocada equibocada",
    "fucking": "fuckin fkn fking effing freaking friggin fcking",
    "fuck": "fuk fck fuq",
}  # fmt: skip
_SPELLING = {typed: word for word, all_typed in _SPELLINGS.items() for typed in all_typed.split()}

_LONG_WORDS = ("unsubscribe", "messages", "messaging", "texting", "sending", "mensajes", "escribirme")
"""Words that one slip of a finger still leaves to be known."""
_OTHER_WORDS = frozenset({"massages", "massaging", "testing", "resting", "ending", "sanding", "bending", "mending",
                          "lending", "tending", "vending", "spending", "sensing", "passages", "describirme",
                          "subscribe", "unsubscribed", "inscribirme", "taxing"})  # fmt: skip
"""Words of their own, one letter away from those."""

_PHRASES = (
    (r"\bdo ?not\b|\bdo nt\b|\bdon t\b", "dont"),
    (r"\bdid ?not\b|\bdidn t\b", "didnt"),
    (r"\bcan ?not\b|\bcan t\b", "cant"),
    (r"\bwill not\b|\bwon t\b", "wont"),
    (r"\bany more\b", "anymore"),
    (r"\bun (?:subscribe|enroll)\b", "unsubscribe"),
    (r"\bunenroll\b", "unsubscribe"),
    (r"\bopt outs?\b|\bop out\b", "optout"),
    (r"\bopting out\b", "optout"),
    (r"\bopt (me|us|this number|it|my number) out\b", r"optout \1"),
    (r"\bop(?:t)? this number out\b", "optout"),
    (r"\b(?:text|phone) text\b", "text"),
    (r"\bnomas\b", "no mas"),
    (r"\bpor ?fa(?:vor(?:cito)?|s)?\b|\bpofavor\b|\bxfa(?:vor)?\b", "porfavor"),
)
_PHRASE_PATTERNS = tuple((re.compile(pattern), word) for pattern, word in _PHRASES)
_LETTER_BY_LETTER = re.compile(r"(?<![a-z0-9])(?:[a-z0-9][ .\-_*]{1,3}){2,10}[a-z0-9](?![a-z0-9])")
_CLAUSE_ENDS = re.compile(r"[.!?;:,\n\r()\"“”«»¡¿…—/]+| - ")
_NO_WORD = re.compile(r"[^a-z0-9|#]+")
_RUN = re.compile(r"([a-z])\1{2,}")


def read_clauses(body: str) -> list[str]:
    """The clauses of a text in lower case, without accents and apostrophes, known misspellings put right."""
    shown = "".join(_SIGNS.get(sign, sign) for sign in body[:LONGEST] if unicodedata.category(sign) != "Cf")
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", shown).lower())
    text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    text = re.sub(r"['’`´]", "", text)
    text = _LETTER_BY_LETTER.sub(_spelt, text)
    text = _NO_WORD.sub(" ", _CLAUSE_ENDS.sub(" | ", text))
    text = " ".join(_word(typed) for typed in text.split())
    for pattern, word in _PHRASE_PATTERNS:
        text = pattern.sub(word, text)
    return [clause for part in text.split("|") if (clause := part.strip())]


def _spelt(found: re.Match[str]) -> str:
    word = re.sub(r"[ .\-_*]", "", found[0])
    return word if word in _SPELT else found[0]


def _word(typed: str) -> str:
    word = "number" if typed in ("#", "num") else _RUN.sub(r"\1", typed)
    if not word.isalpha() and (letters := word.translate(_LEET)) in _LEET_WORDS:
        word = letters
    word = _SPELLING.get(word, word)
    if len(word) >= 6 and word not in _OTHER_WORDS:
        word = next((known for known in _LONG_WORDS if _one_slip(word, known)), word)
    return _SPELLING.get(word, word)


def _one_slip(typed: str, known: str) -> bool:
    """Whether one letter is missing, too many, another one, or two neighbours have changed places."""
    if abs(len(typed) - len(known)) > 1:
        return False
    at = next((i for i, (one, other) in enumerate(zip(typed, known, strict=False)) if one != other),
              min(len(typed), len(known)))  # fmt: skip
    one, other = typed[at:], known[at:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other or one == other[1:] or one[1:] == other[1:]
