"""How right an engine's edit of a values.yaml is, told by PyYAML, by lines and by comments.

It knows nothing of the engines. `self_test` breaks right results on purpose, in each of the ways
that are counted, and fails where a fault goes unnoticed.
"""
import collections
import dataclasses
import pathlib
import re
import subprocess
import tempfile

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclasses.dataclass
class Verdict:
    """Counts over all files of a run."""

    files: int = 0
    right: int = 0  # all that is wanted, and nothing lost or changed
    incomplete: int = 0  # files without all that is wanted
    lines_removed: int = 0  # old lines that are gone or changed
    comments_lost: int = 0
    data_changed: int = 0  # files whose data are not the old ones plus what is wanted
    second_run: int = 0  # files that a second run changes

    def __add__(self, other):
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other))
        return Verdict(*(one + two for one, two in pairs))


def load(text):
    """The data of the first document, all that Helm reads."""
    return next(iter(yaml.load_all(text, Loader=Loader)), None)


def completed(data, wanted):
    """`data` with what is missing of `wanted`, leaf by leaf; what is there stays."""
    if not isinstance(wanted, dict) or not isinstance(data, dict):
        return data
    result = dict(data)
    for key, value in wanted.items():
        is_missing = key not in data or data[key] is None and isinstance(value, dict)
        result[key] = value if is_missing else completed(data[key], value)
    return result


def same(one, other):
    """Equal, with the types and the order of keys: 1, True and 1.0 are three things."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or one != one and other != other  # NaN


def comments(text):
    """The comments, counted. What stands in a scalar is none, even if it looks like one."""
    masked, end = [], 0
    for token in yaml.scan(text, Loader=getattr(yaml, "CLoader", yaml.Loader)):
        if isinstance(token, yaml.ScalarToken):
            start, behind = token.start_mark.index, token.end_mark.index
            # The last line break of a block scalar may be followed by a comment without indent.
            masked += [text[end:start], re.sub(r"[^\n]", "x", text[start:behind])]
            end = behind
    masked.append(text[end:])
    found = re.findall(r"(?:^|(?<=[ \t]))#.*$", "".join(masked), flags=re.MULTILINE)
    return collections.Counter(comment.rstrip() for comment in found)


def removed(old, new):
    """How many lines git's smallest diff takes out; difflib's are not the smallest."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "old").write_text(old)
        (folder / "new").write_text(new)
        command = ["git", "diff", "--no-index", "--minimal", "--numstat", "old", "new"]
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout
    return int(told.split()[1]) if told else 0


def judge(old, new, again, wanted):
    """One file: the old text, the new one, the one after a second run, and the wanted data."""
    verdict = Verdict(files=1, lines_removed=removed(old, new), second_run=int(again != new))
    try:
        before, after = load(old), load(new)
        verdict.comments_lost = (comments(old) - comments(new)).total()
        verdict.incomplete = int(not same(completed(after, wanted), after))
        # Nothing but what is wanted is new: what is missing of it is added for this comparison.
        verdict.data_changed = int(not same(completed(after, wanted), completed(before, wanted)))
    except yaml.YAMLError:
        verdict.incomplete = verdict.data_changed = 1
    is_right = not (verdict.lines_removed or verdict.comments_lost or verdict.data_changed or verdict.incomplete or verdict.second_run)
    verdict.right = int(is_right)
    return verdict


def self_test():
    """Every kind of fault must be counted, and counted as nothing else."""
    old = '---\n# a licence\na:\n  b: 1  # why\n  text: |\n    # no comment\n    x\nc: "yes"\n...\n'
    wanted = {"a": {"new": {"leaf": None, "port": 5000}}}
    new = old.replace('c: "yes"', "  new:\n    leaf: null\n    port: 5000\nc: \"yes\"")
    clean = Verdict(files=1, right=1)
    wrong = Verdict(files=1)
    cases = [
        ("nothing", new, new, clean),
        ("a second run", new, new + "\n", dataclasses.replace(wrong, second_run=1)),
        ("a comment line", new.replace("# a licence\n", ""), None, dataclasses.replace(wrong, lines_removed=1, comments_lost=1)),
        ("a comment behind a value", new.replace("  # why", ""), None, dataclasses.replace(wrong, lines_removed=1, comments_lost=1)),
        ("a line of a scalar", new.replace("    # no comment\n", ""), None, dataclasses.replace(wrong, lines_removed=1, data_changed=1)),
        ("quotes", new.replace('"yes"', "yes"), None, dataclasses.replace(wrong, lines_removed=1, data_changed=1)),
        ("a number", new.replace("b: 1", "b: 2"), None, dataclasses.replace(wrong, lines_removed=1, data_changed=1)),
        ("a type", new.replace("b: 1 ", "b: 1.0 "), None, dataclasses.replace(wrong, lines_removed=1, data_changed=1)),
        ("a marker", new.replace("...\n", ""), None, dataclasses.replace(wrong, lines_removed=1)),
        ("something unasked", new.replace("c:", "d: 1\nc:"), None, dataclasses.replace(wrong, data_changed=1)),
        ("a leaf left out", new.replace("    port: 5000\n", ""), None, dataclasses.replace(wrong, incomplete=1)),
        ("another wanted value", new.replace("5000", "5001"), None, dataclasses.replace(wrong, data_changed=1)),
        ("another place", new.replace("  new:", "new:").replace("    leaf", "  leaf").replace("    port", "  port"), None,
         dataclasses.replace(wrong, incomplete=1, data_changed=1)),
        ("no edit at all", old, None, dataclasses.replace(wrong, incomplete=1)),
        ("no YAML any more", new.replace("c:", " c:"), None, dataclasses.replace(wrong, lines_removed=1, incomplete=1, data_changed=1)),
    ]
    for name, after, again, expected in cases:
        found = judge(old, after, after if again is None else again, wanted)
        if found != expected:
            raise SystemExit(f"the judge is broken: {name}:\n  expected {expected}\n  found    {found}")
    return len(cases)


if __name__ == "__main__":
    print(f"{self_test()} faults made and noticed")
