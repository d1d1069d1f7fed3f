#!/usr/bin/env python3
"""The values edits by ruamel.yaml. What every engine gets and does is told in ../bench.py.

    ruamel_yaml.py usual|tuned JOBS WANTED

usual: load, change, dump, as in its documentation; tuned: told about the style of OpenStack-Helm.
"""
import pathlib
import sys

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap


def complete(mapping, wanted):
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(mapping.get(key), dict):
            complete(mapping[key], value)
        elif key not in mapping:
            mapping[key] = value


def main(style, jobs, wanted):
    wanted = pathlib.Path(wanted).read_text()
    failed = 0
    for job in pathlib.Path(jobs).read_text().splitlines():
        chart, path = job.split("\t")
        yaml = YAML()
        text = pathlib.Path(path).read_text()
        if style == "tuned":
            yaml.preserve_quotes = True
            yaml.width = 1 << 20
            yaml.indent(mapping=2, sequence=4, offset=2)
            yaml.explicit_start = text.startswith("---") or "\n---\n" in text
            yaml.explicit_end = text.endswith("\n...\n")
            yaml.representer.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "null"))
        try:
            data = yaml.load(text)
            complete(data, yaml.load(wanted.replace("CHART", chart)))
            with open(path, "w") as out:
                yaml.dump(data, out)
        except Exception as error:  # whatever it raises, the other files count
            failed += 1
            print(f"{path}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
