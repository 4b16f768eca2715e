"""A guestbook: entries in PostgreSQL, a count of page views in Redis."""
# ruff: noqa: INP001 - a program of its own, not part of a package

import html
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

import psycopg2
import redis

PAGE = """<!doctype html>
<title>guestbook</title>
<h1>Guestbook</h1>
<p>Views: {views}</p>
<form method="post"><input name="entry" required> <button>Sign</button></form>
<ul>
{entries}
</ul>
"""

database = psycopg2.connect(
    host=os.environ["DB_HOST"],
    dbname=os.environ["DB_NAME"],
    user=os.environ["DB_USER"],
    password=Path("/run/secrets/db_password").read_text().strip(),
)
database.autocommit = True
cache = redis.Redis(host=os.environ["CACHE_HOST"])


def sql(text: str, *values: str) -> list[tuple[Any, ...]]:
    """Run one statement and give its rows."""
    with database.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else []


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer one request (WSGI)."""
    if environ["PATH_INFO"] == "/health":
        sql("SELECT 1")
        cache.ping()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"healthy\n"]
    if environ["REQUEST_METHOD"] == "POST":
        length = int(environ.get("CONTENT_LENGTH") or 0)
        fields = parse_qs(environ["wsgi.input"].read(length).decode())
        for entry in fields.get("entry", []):
            sql("INSERT INTO entries (text) VALUES (%s)", entry[:500])
        start_response("303 See Other", [("Location", "/")])
        return []
    rows = sql("SELECT text FROM entries ORDER BY id")
    entries = [f"<li>{html.escape(text)}</li>" for (text,) in rows]
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [PAGE.format(views=cache.incr("views"), entries="\n".join(entries)).encode()]


sql("CREATE TABLE IF NOT EXISTS entries (id serial PRIMARY KEY, text text NOT NULL)")
make_server("", 8000, application).serve_forever()
