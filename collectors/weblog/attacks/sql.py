"""Whether a text changes the statement that it is put into: its tokens as SQL has them, after a number or a quote.

Words alone say nothing, people search for "select" and "union"; the order of the tokens does.
Source: https://owasp.org/www-community/attacks/SQL_Injection
"""

import re

TOKEN = re.compile(
    r"(?P<space>\s+|/\*(?!!).*?\*/)"
    r"|(?P<comment>--(?=\s|-|\+|$).*|\#.*|/\*.*)"
    r"|(?P<number>0x[0-9a-f]+|\d+(?:\.\d+)?|@@?\w+|null\b|true\b|false\b)"
    r"|(?P<word>[a-z_][\w$.]*)"
    r"|(?P<string>'(?:[^'\\]|\\.|'')*+(?:'|$)|\"(?:[^\"\\]|\\.|\"\")*+(?:\"|$)|`[^`]*(?:`|$))"
    r"|(?P<logic>&&|\|\|)"
    r"|(?P<operator>[=<>!]+|[-+*/%^|&~:]+)"
    r"|(?P<mark>[(),;])"
    r"|(?P<other>.)",
    re.DOTALL,
)
WORDS = {
    **dict.fromkeys(("and", "or", "xor"), "&"),
    **dict.fromkeys(("like", "rlike", "regexp", "ilike", "in", "is", "between", "div", "mod"), "o"),
    **dict.fromkeys(("select", "insert", "update", "delete", "drop", "alter", "create", "exec", "execute", "declare",
                     "truncate", "shutdown", "copy"), "E"),
    **dict.fromkeys(("from", "into", "table", "database", "schema", "set", "values"), "F"),
    **dict.fromkeys(("all", "distinct", "not"), ""),
    "union": "U", "order": "B", "group": "B", "having": "B", "by": "", "waitfor": "W", "delay": "",
}  # fmt: skip
FUNCTIONS = frozenset((
    "sleep", "benchmark", "pg_sleep", "extractvalue", "updatexml", "load_file", "xp_cmdshell", "char", "chr", "concat",
    "group_concat", "ascii", "substring", "substr", "database", "version", "user", "current_user", "if", "exists",
    "dbms_pipe.receive_message", "utl_http.request", "randomblob", "count", "cast", "convert", "rand", "floor", "hex",
))  # fmt: skip
GRAVE = re.compile(
    r"\b(?:sleep|pg_sleep|benchmark|dbms_pipe\.receive_message|randomblob)\s*\(\s*['\"]?[\d(]"
    r"|\b(?:extractvalue|updatexml|load_file|xp_cmdshell|utl_http\.request)\s*\("
    r"|\bwaitfor\s+delay\s*['\"(]"
    r"|\binformation_schema\.\w"
    r"|\binto\s+(?:out|dump)file\s*['\"]"
    r"|/\*!\d{0,6}\s*(?:union|select)\b"
)
"""What nobody writes who is not after it."""
LITERAL = r"(?:[1s]|f\([^)]*\)*|n)"
EVERYWHERE = re.compile(r"UE(?:[(]*(?:[1s]|f\()|n,|o)|\(E(?:[^;]{0,40}?F|f|[1s]\))|UE.{0,30}Fn?c")
AFTER_NUMBER = re.compile(
    r"^1\)*(?:&[(]*(?:[1s]o+[(]*[1s]|f\()|;\(*E[Fn(]|;?W|B1(?:,1)*c?$|U\(*E|o*\(E|&[(]*no[s1]\)*c|o+f\()"
)
AFTER_QUOTE = re.compile(
    rf"^s\)*(?:&[(]*{LITERAL}o+[(]*{LITERAL}|&[(]*(?:f\(|E)|&[(]*[1s]\)*(?:c|$)|;\(*[EW]|;?W|B[1n](?:,1)*c?|U\(*E"
    r"|;?c$|oso?$|o+f\(|o+\(E|o[1s]c|os&)"
)


def injects(text: str) -> bool:
    """`text` is folded and decoded."""
    if GRAVE.search(text):
        return True
    bare = kinds(text)
    if EVERYWHERE.search(bare) or AFTER_NUMBER.search(bare):
        return True
    quotes = [quote for quote in "'\"" if quote in text]
    inside = (kinds(quote + text) for quote in quotes)
    return any(AFTER_QUOTE.search(found) or EVERYWHERE.search(found) for found in inside)


def kinds(text: str) -> str:
    """One letter a token; none of spaces and comments between tokens."""
    found = []
    for token in TOKEN.finditer(text[:2000]):
        kind = token.lastgroup
        if kind == "space":
            continue
        if kind == "word":
            found.append(_of_word(token[0], text, token.end()))
        else:
            found.append(_LETTERS.get(kind or "", token[0]))
    return "".join(found)


_LETTERS = {"comment": "c", "number": "1", "string": "s", "logic": "&", "operator": "o", "other": "x"}


def _of_word(word: str, text: str, end: int) -> str:
    if word in FUNCTIONS and text[end : end + 20].lstrip().startswith("("):
        return "f"
    return WORDS.get(word, "n")
