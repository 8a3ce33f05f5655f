"""Words of INFO as numbers."""

WORDS = {"ok": 1.0, "up": 1.0, "yes": 1.0, "err": 0.0, "down": 0.0, "no": 0.0, "fail": 0.0}


def number(word: str, least: float = 0) -> float | None:
    """None for text that is no number, and for a negative, by which the server says that it does not know."""
    if word in WORDS:
        return WORDS[word]
    try:
        value = float(word)
    except ValueError:
        return None
    return value if value >= least else None


def pairs(line: str) -> dict[str, float]:
    """`keys=3,expires=1` -> numbers; what is no number is left out."""
    found = (pair.partition("=") for pair in line.split(","))
    return {name: value for name, _, word in found if (value := number(word)) is not None}


def texts(line: str) -> dict[str, str]:
    """`name=a,port=1` -> texts; what has no `=` is left out."""
    return dict(pair.split("=", 1) for pair in line.split(",") if "=" in pair)
