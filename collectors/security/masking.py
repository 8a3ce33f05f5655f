"""Text of settings, configuration and jobs as evidence: without comments, and without what is secret in it."""

import difflib
import re

MOST_CHARACTERS = 16_384
HIDDEN = "…"
NAMES = r"pass(?:wd|word|phrase)?|pwd|secret|salt|token|credential|dsn|(?:api|private|access)_?key|auth(?:orization)?"
KEYED = re.compile(
    rf"""(?is)(['"][^'"\n]*(?:{NAMES}|key)[^'"\n]*['"]\s*\]?\s*(?:=>|=|,|:)\s*)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
)
"""'password' => '...', $settings['hash_salt'] = '...', define('DB_PASS', '...')."""
VARIABLE = re.compile(rf"""(?is)(\$\w*(?:{NAMES}|key)\w*\s*=\s*)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
HEREDOC = re.compile(r"(?s)(<<<\s*['\"]?(\w+)['\"]?\s*\n).*?(\n\s*\2\b)")
DIRECTIVE = re.compile(rf"(?im)^(\s*[^\n#;]*?\b[\w\-\]\[]*(?:{NAMES})[\w\-\]\[]*[ \t]*[=: \t][ \t]*)(\S[^\n;]*)")
"""SetEnv DB_PASSWORD x, env[DB_PASSWORD] = x, fastcgi_param DB_PASS x; of web servers and pools."""
ACCOUNT = re.compile(r"([a-z][a-z0-9+.-]{1,20}://)[^\s/'\"]{1,300}@", re.IGNORECASE)
TOKEN = re.compile(r"(?<![\w/.+=-])(?=[\w+=-]*\d)(?=[\w+=-]*[A-Za-z])[A-Za-z0-9+=_-]{20,}(?![\w/.])")
"""Long and of letters and digits: a key, whatever it is called."""
OPTION = re.compile(
    r"((?:^|\s)(?:-[puaHU]|--(?:user|header|proxy-user))[= ]?)(\"[^\"\n]*\"|'[^'\n]*'|[^\s-]\S*)", re.MULTILINE
)
"""-pSECRET, -u user:secret, -H 'Authorization: ...'; of commands."""
MOST_LINES = 6
COMMENT = re.compile(r"^\s*(//|#|;|\*|/\*)")


def masked(text: str) -> str:
    """What may be kept of it. Secrets of one kind and another look the same, so a change of them shows no line."""
    for pattern in (HEREDOC,):
        text = pattern.sub(rf"\1{HIDDEN}\3", text)
    for pattern in (KEYED, VARIABLE, DIRECTIVE):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    text = TOKEN.sub(HIDDEN, ACCOUNT.sub(rf"\1{HIDDEN}@", text))
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not COMMENT.match(line))[:MOST_CHARACTERS]


def masked_commands(text: str) -> str:
    """Of jobs and units: lines of cron begin with a star, and commands have secrets among their options."""
    text = OPTION.sub(rf"\1{HIDDEN}", DIRECTIVE.sub(rf"\1{HIDDEN}", text))
    text = TOKEN.sub(HIDDEN, ACCOUNT.sub(rf"\1{HIDDEN}@", text))
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith(("#", ";")))[:MOST_CHARACTERS]


def changed_lines(before: str, now: str) -> list[str]:
    """The first of them, after a plus or a minus; both texts are masked."""
    found = difflib.unified_diff(before.splitlines(), now.splitlines(), lineterm="", n=0)
    lines = [line for line in found if not line.startswith(("---", "+++", "@@"))]
    return lines[:MOST_LINES] or ["only what is secret or a comment changed"]
