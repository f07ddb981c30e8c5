"""Refuses a page that names a file which is not there: what begins with a folder of the project, such as
`filter/engine/src/lib.rs` and `tests/zips/*`. The pages of docs/explain name functions of the code as well, as `run()`,
in the text and in pictures alike: these must be there too. Of other files only the pages count that they name."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

PAGE = re.compile(r"(?<![\w./-])(docs/[A-Za-z0-9_/-]+\.md)")
FUNCTION = re.compile(r"\b([a-z][a-z0-9_]*)\(\)")
DEFINED = re.compile(r"\bfn ([a-z][a-z0-9_]*)")


def committed() -> set[str]:
    """Every file that git knows, and the folders that they are in."""
    files = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout.splitlines()
    folders = {str(folder) for file in files for folder in PurePosixPath(file).parents}
    return {*files, *folders}


def main(pages: list[str]) -> int:
    there = committed()
    tops = "|".join(
        re.escape(name)
        for name in sorted(there)
        if "/" not in name and Path(name).is_dir() and not name.startswith(".")
    )
    # Behind a slash or a dot it is a part of a longer name: of a link, or of a URL.
    place = re.compile(rf"(?<![\w./-])((?:{tops})/[\w./*-]*[\w*])")
    sources = [Path(file) for file in there if file.endswith(".rs") and Path(file).is_file()]
    functions = {name for file in sources for name in DEFINED.findall(file.read_text(encoding="utf-8"))}
    missing = 0
    for page in pages:
        for number, line in enumerate(Path(page).read_text(encoding="utf-8").splitlines(), start=1):
            names = place if page.endswith(".md") else PAGE
            absent = [name for name in names.findall(line) if not fnmatch.filter(there, name)]
            if page.startswith("docs/explain/"):
                absent += [f"{name}()" for name in FUNCTION.findall(line) if name not in functions]
            for name in absent:
                missing += 1
                print(f"{page}:{number}: there is no {name}; name what took its place", file=sys.stderr)
    return min(missing, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
