"""Whether a text changes the statement that it is put into: its tokens as SQL has them, after a number or a quote.

Words alone say nothing, people search for "select" and "union"; the order of the tokens does.
Source: https://owasp.org/www-community/attacks/SQL_Injection
"""

import re

TOKEN = re.compile(
    r"(?P<space>[\s\ufffd]+|/\*(?!!).*?\*/|(?:--|\#)[^\n]{0,200}+\n)"
    r"|(?P<comment>--(?=\s|-|\+|$)(?!\s*\d+['\"]).*|\#(?!\w+['\"]).*|/\*.*)"
    r"|(?P<number>0x[0-9a-f]+|\d+(?:\.\d+)?(?:e\d+)?|@@?\w+|null\b|true\b|false\b)"
    r"|(?P<word>[a-z_][\w$.]*)"
    r"|(?P<string>'(?:[^'\\]|\\.|'')*+(?:'|$)|\"(?:[^\"\\]|\\.|\"\")*+(?:\"|$)|`[^`]*(?:`|$))"
    r"|(?P<logic>&&|\|\|)"
    r"|(?P<operator>[=<>!]+)"
    r"|(?P<sum>[-+*/%^|&~:]+)"
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
    **dict.fromkeys(("union", "except", "intersect"), "U"),
    "waitfor": "W", "delay": "",
    **dict.fromkeys(("order", "group", "having", "limit", "procedure"), "B"), "by": "",
}  # fmt: skip
FUNCTIONS = frozenset((
    "sleep", "benchmark", "pg_sleep", "extractvalue", "updatexml", "load_file", "xp_cmdshell", "char", "chr", "concat",
    "group_concat", "ascii", "substring", "substr", "database", "version", "user", "current_user", "if", "exists",
    "dbms_pipe.receive_message", "utl_http.request", "randomblob", "count", "cast", "convert", "rand", "floor", "hex",
    "db_name", "user_name", "length", "left", "mid", "ord", "unhex", "lower", "upper", "row", "json_extract",
    "json_keys", "gtid_subset", "session_user", "system_user", "schema", "sqlite_version", "generate_series",
    "current_database", "ctxsys.drithsx.sn", "utl_inaddr.get_host_address",
    "utl_inaddr.get_host_name", "make_set", "elt", "md5", "sha1", "analyse", "pi", "strcmp", "instr", "ifnull", "iif",
    "nullif", "coalesce", "load_extension", "xmltype", "jsonb_path_exists", "json_valid", "current_setting",
    "pg_read_file", "pg_ls_dir", "query_to_xml", "object_id", "host_name", "is_srvrolemember", "connection_id",
    "gtid_subtract", "st_latfromgeohash", "last_insert_rowid", "sqlite_compileoption_used", "sys_context",
))  # fmt: skip
GRAVE = re.compile(
    r"(?:\b(?:and|or|xor|not|select|if|then|when|else|like|in)\b|[^\w\s])\s*sleep\(\s*['\"]?[\d(]"
    r"|\b(?:pg_sleep|benchmark|dbms_pipe\.receive_message|randomblob)\(\s*['\"]?[\d(]"
    r"|\b(?:extractvalue|updatexml|load_file|xp_cmdshell|utl_http\.request)\s*\("
    r"|\bwaitfor\s+delay\s*['\"(]"
    r"|(?:\bfrom\b|\bjoin\b|[^\w\s])\s*information_schema\.\w"
    r"|\binto\s+(?:out|dump)file\s*['\"]"
    r"|/\*!\d{0,6}\s*(?:union|select|and|or)\b"
    r"|\b(?:i?if|elt)\s*\(\s*\(?\s*\d+\s*[=<>]\s*\d+\s*,"
    r"|\bcase\s+when\b.{1,60}\bthen\b.{1,60}\b(?:sleep|select|benchmark|1/0)\b"
    r"|\bcase\s+when[\s(]*+(?:\d+\s*[=<>]+\s*\d|['\"]\w*['\"]\s*[=<>]|\w+\(\w+\()"
    r"|\bprocedure\s+analyse\s*\("
    r"|@@(?:version|datadir|basedir|hostname|servername|tmpdir|plugin_dir|secure_file_priv|global\.)"
    r"|\b(?:convert\s*\(\s*int\s*,|cast\s*\()\s*(?:@@|\(?\s{0,5}select\b|\w{1,30}\(\s{0,5}\))"
    r"|\bcha?r\(\d+\)\s*(?:\|\||\+|,)\s*cha?r\(\d+\)"
    r"|\bconcat(?:_ws)?\s*\([^()]{0,80}?(?:0x[0-9a-f]{2}|\b\w{1,30}\(\s{0,5}\))"
    r"|\bexecute\s+immediate\b|;\s*set\s+@\w+\s*=|\b\d+\.e\s*\(\s*(?:\w+\s+\d+\.e|ascii|select)"
    r"|\bselect\s+[\w.,(]*\bpass(?:w(?:or)?d)?\b[\w.,)]*\s+from\s+\w|^\S{1,20}\s+into\s+@\w+\s*(?:,|--|\#|$)"
    r"|^sleep\(\s*\d+\s*\)\s*(?:\#|--|/\*)"
    r"|^\d+['\")\s]*\s(?:or|and)\s+(?:not\s+)?(?:true|false)\s*(?:--|\#|$)"
    r"|\bcopy\s+\w+\s+(?:from|to)\s+(?:program\s*)?'"
)
"""What nobody writes who is not after it."""
LITERAL = r"(?:[1sp]|f\([^)]*\)*|n(?:\([^)]*\))?)"
ASKS = r"U\(*E(?:[1sfo(x]|n[,F(c])"
"""A union as a statement has it: people write of a union's select committee."""
ENDS = r"(?=$|[^1spnx])"
"""A statement goes on only with what joins it: prose has the next word."""
EVERYWHERE = re.compile(
    r"^n?&[(]*1o+1\)*(?:c|$)|^n;\(*E[(]*[1s]\)*(?:c|$)|^B1(?:,1)*c$"
    rf"|^E[on,1(]+F[on1s]+&[(]*(?:1o+1|sos){ENDS}|^f\([^)]*\)*&[(]*1o+1{ENDS}"
    rf"|UE(?:[(]*(?:[1s]{ENDS}|f\()|n,|o)|\(E(?:[^;]{{0,40}}?F|f|[1s]\))|U\(E|f\(+E|UE.{{0,30}}Fn?c"
)
AFTER_NUMBER = re.compile(
    rf"^o?1\)*(?:&[(]*(?:[1s]\)*o+[(]*[1sf]{ENDS}|f\(|E)|;\(*E[Fn(c1s]|;?W|B1(?:,1)*c?$|B(?:f|nf)\(|{ASKS}|o*\(E|B1(?:,1)*B"
    rf"|&[(]*n\([^)]*\)*\)*o+(?:[1sf]|n\()|&[(]*no[s1]\)*c|&[(]*1\)*c|o+f\()"
)
AFTER_QUOTE = re.compile(
    rf"^[sp]\)*(?:&[(]*{LITERAL}\)*o+[(]*{LITERAL}\)*{ENDS}|&[(]*(?:f\(|E)|&[(]*[1s]\)*(?:c|$)|;\(*[EW]|;?W"
    rf"|B1(?:,1)*c?$|B1[1n,]{{0,6}}c$|B[1nf]\S*o|B[1n](?:,[1n])*c|{ASKS}|;?c$|oso?$|o+f\(|o+\(E|o[1s]c|os&)"
)


HIDDEN = re.compile(r"(?<=[a-z])/\*(?!!).*?\*/(?=[a-z])")
"""A comment inside of a word."""
COLLATION = re.compile(r"\bcollate\s+\w+")
"""It may follow any operand."""
SUM = re.compile(r"1(?:m1)+")
"""Numbers that are only reckoned with are one number: `1 or 2/3 cup` compares nothing."""


def injects(text: str) -> bool:
    """`text` is folded and decoded."""
    if GRAVE.search(text):
        return True
    if "+" in text and injects(text.replace("+", " ")):
        return True
    if "/*" in text and (joined := HIDDEN.sub("", text)) != text and injects(joined):
        return True
    text = COLLATION.sub(" ", text).lstrip("\\")
    bare = kinds(text)
    if EVERYWHERE.search(bare) or AFTER_NUMBER.search(bare):
        return True
    quotes = [quote for quote in "'\"" if quote in text]
    inside = (kinds(quote + text) for quote in quotes)
    return any(AFTER_QUOTE.search(found) or EVERYWHERE.search(found) for found in inside)


PROSE = re.compile(r"[^\W\d_]\s|\s[^\W\d_]")
"""In quotes; a string of an attack has no words."""


def kinds(text: str) -> str:
    """One letter a token; none of spaces and comments between tokens."""
    found = []
    for token in TOKEN.finditer(text[:2000]):
        kind = token.lastgroup
        if kind == "space":
            continue
        if kind == "word":
            found.append(_of_word(token[0], text, token.end()))
        elif kind == "string" and PROSE.search(token[0]):
            found.append("p")
        elif kind == "string" and len(token[0]) == 1 and found[-1:] == ["E"]:
            found.append("q")  # the end of a phrase in quotes, and no string
        else:
            found.append(_LETTERS.get(kind or "", token[0]))
    return SUM.sub("1", "".join(found)).replace("m", "o")


_LETTERS = {"comment": "c", "number": "1", "string": "s", "logic": "&", "operator": "o", "sum": "m", "other": "x"}


def _of_word(word: str, text: str, end: int) -> str:
    if word in FUNCTIONS and text[end : end + 20].lstrip().startswith("("):
        return "f"
    return WORDS.get(word, "n")
