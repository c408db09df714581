"""A report as one page: no script, no link to anywhere, pictures inside, so that it can be mailed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emo_utils.report.section import Section

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
body { font: 16px/1.55 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
table { display: block; overflow-x: auto; }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; border-bottom: 1px solid #e5e5e5; white-space: nowrap; }
td.wrap { white-space: normal; overflow-wrap: anywhere; }
img { max-width: 100%; display: block; margin: 1rem 0; }
footer { margin-top: 3rem; color: #666; font-size: .9rem; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<table>
{%- for name, value in facts.items() %}
<tr><th>{{ name }}</th><td class="wrap">{{ value }}</td></tr>
{%- endfor %}
</table>
{%- for section in sections %}
<h2>{{ section.title }}</h2>
{%- for paragraph in section.text %}
<p>{{ paragraph }}</p>
{%- endfor %}
{%- if section.table %}
<table>
<tr>{% for cell in section.table[0] %}<th>{{ cell }}</th>{% endfor %}</tr>
{%- for row in section.table[1:] %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</table>
{%- endif %}
{%- for name in section.pictures %}
<img src="data:image/png;base64,{{ images[name] }}" alt="{{ section.title }}: {{ name }}">
{%- endfor %}
{%- endfor %}
<footer>Made by emo_utils. Figures: report.json. Answers to single faces: predictions.npz.</footer>
</body>
</html>
"""


def render_page(title: str, facts: Mapping[str, Any], sections: Sequence[Section], pictures: Mapping[str, Path]) -> str:
    """Return the HTML of a report.

    Args:
        title: of the page.
        facts: what was evaluated on what, name -> value.
        sections: the chapters.
        pictures: name of a picture -> PNG file.
    """
    from jinja2 import Environment

    images = {name: base64.b64encode(path.read_bytes()).decode("ascii") for name, path in pictures.items()}
    template = Environment(autoescape=True).from_string(_TEMPLATE)
    return template.render(title=title, facts=facts, sections=sections, images=images)
