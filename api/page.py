"""A refusal as a small page in Chinese and English, where a browser was sent to log in. Pure."""

from __future__ import annotations

from html import escape

PLACES = "/v1/session/oidc"  # the only paths that a browser is sent to, not a script
REASONS = {
    401: "未能登录。",
    404: "这里没有单点登录。",
    422: "请求有误。",
    429: "尝试次数过多，请稍后再试。",
    503: "身份提供方或数据库暂时没有响应，请稍后再试。",
}
PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{status} · citybrain 城市大脑</title>
<link rel="stylesheet" href="/page.css">
</head>
<body>
<main>
<h1>{zh}</h1>
<p lang="en">{en}</p>
<p><a href="/v1/session/oidc">重新登录 <span lang="en">Log in again</span></a></p>
<p><a href="/">返回首页 <span lang="en">Back to the start page</span></a></p>
</main>
</body>
</html>
"""


def wants_page(path: str, accept: str) -> bool:
    """Whether a person looks at the answer: a browser prefers HTML to JSON, and comes here."""
    if path != PLACES and not path.startswith(f"{PLACES}/"):
        return False
    liked = dict(map(_liking, accept.split(",")))
    page = liked.get("text/html", 0.0)
    return page > 0 and page >= max(
        liked.get("application/json", 0.0), liked.get("application/problem+json", 0.0)
    )


def refusal_page(status: int, detail: str, zh: str | None = None) -> str:
    """The page; nothing of what is told reaches it unescaped."""
    chinese = zh or REASONS.get(status, "请求未被接受。")
    return PAGE.format(status=status, zh=escape(chinese), en=escape(detail))


def _liking(part: str) -> tuple[str, float]:
    """A media range and how much it is wanted."""
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    try:
        return kind, float(weight)
    except ValueError:
        return kind, 0.0
