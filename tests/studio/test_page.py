"""Modules of the page import what the others export: a browser would show nothing but an empty page."""

import re
from importlib import resources

PAGE = resources.files("matlens.studio") / "page"
MODULES = {file.name: file.read_text(encoding="utf-8") for file in PAGE.iterdir() if file.name.endswith(".js")}


def exported(text: str) -> set[str]:
    found = set(re.findall(r"^export (?:async )?(?:function\*?|const|let|class) (\w+)", text, re.MULTILINE))
    for names in re.findall(r"^export \{([^}]*)\}", text, re.MULTILINE):
        found |= {name.split(" as ")[-1].strip() for name in names.split(",")}
    return found


def test_what_a_module_imports_is_exported():
    missing = [
        (name, source, wanted)
        for name, text in MODULES.items()
        for names, source in re.findall(r"^import \{([^}]*)\} from \"\./([^\"]+)\"", text, re.MULTILINE)
        for wanted in (part.split(" as ")[0].strip() for part in names.split(","))
        if wanted and wanted not in exported(MODULES[source])
    ]
    assert missing == []
    assert len(MODULES) > 15


def test_the_page_weighs_at_most_400_kb():
    assert sum(len(file.read_bytes()) for file in PAGE.iterdir()) < 400_000
