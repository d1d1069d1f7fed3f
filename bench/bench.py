#!/usr/bin/env python3
"""Times this program against others, and judges what they write. Started by bench/run.

The edits: what templates/values.yaml holds, into the values.yaml of each chart that has `images`
and is not helm-toolkit. An engine is a command that is given two files: JOBS, a line for each
chart with its name, a tab and the path of its values.yaml; and WANTED, the YAML to add, in which
CHART stands for the chart's name. It adds what is missing, in place. Every run starts on a fresh
copy of the checkout, and the engines take turns, so that a busy machine is busy for all of them.
"""
import dataclasses
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import arguments
import judge

HERE = pathlib.Path(__file__).resolve().parent
CACHE = arguments.CACHE
PROGRAM = CACHE / "target/release/osh-registry-auth"
ENGINES = CACHE / "target-engines/release/bench-engines"

# Commits of openstack/openstack-helm, in whose history openstack-helm-infra's ended up. In 2022 no
# chart was migrated, in 2026 most are.
CHECKOUTS = {
    "2022": {
        "openstack-helm": "f22ca90d7507b76b396001141dfdbd77ba1b08f9",
        "openstack-helm-infra": "381d066f010a759ef223cd4b26b9d9ae745a7542",
    },
    "2026": {"openstack-helm": "0ee5adeffcaefb6f7a78bb23bf845414672e6827"},
}

# A competitor that has taken so many seconds in all is not timed again.
PATIENCE = 10

# A word for ripgrep, one that charts have.
WORD = "ServiceAccount"

# More copies are not put into a git repository: making it takes minutes.
MAX_GIT = 10

not_measured = []


def miss(what):
    if what not in not_measured:
        not_measured.append(what)


@dataclasses.dataclass
class Run:
    seconds: float
    cpu: float
    memory: float  # MiB, NaN where it is not known
    code: int


def run(command, cwd, **env):
    """Runs a command and throws away what it says. Memory is told by GNU time: a child of this
    process would count this process's own memory as well."""
    with tempfile.NamedTemporaryFile() as report:
        if shutil.which("time"):
            command = [shutil.which("time"), "-q", "-f", "%M", "-o", report.name, *command]
        else:
            miss("peak memory: GNU time is not installed (`time` in Debian)")
        before, start = processor_time(), time.perf_counter()
        # A second run of `git apply` and the like may fail; the caller looks at the code.
        done = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds, cpu = time.perf_counter() - start, processor_time() - before
        told = report.read().split()
    return Run(seconds, cpu, float(told[-1]) / 1024 if told else float("nan"), done.returncode)


def processor_time():
    """Of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def must(command, **more):
    return subprocess.run(list(map(str, command)), check=True, **more)


# ---- the checkouts ----

def archive(git, commits, folder):
    for name, commit in commits.items():
        root = folder / name
        root.mkdir(parents=True)
        tar = subprocess.Popen(["git", "-C", git, "archive", commit], stdout=subprocess.PIPE)
        must(["tar", "x", "-C", root], stdin=tar.stdout)
        if tar.wait():
            sys.exit(f"{git} has no commit {commit}")


def copy(source, target):
    must(["cp", "-r", "--no-preserve=timestamps", source, target])


def copy_checkouts(checkouts, folder):
    folder.mkdir()
    for checkout in checkouts:
        # Without .git: git has a repository of its own made where it is timed.
        files = [file for file in checkout.iterdir() if file.name != ".git"]
        (folder / checkout.name).mkdir()
        must(["cp", "-r", *files, folder / checkout.name])


def charts(folder):
    """(name, path of values.yaml) of the charts to be edited, relative to `folder`."""
    found = []
    for path in sorted(folder.rglob("Chart.yaml")):
        values = path.parent / "values.yaml"
        is_inside = any((above / "Chart.yaml").exists() for above in path.parent.parents)
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if is_inside or is_hidden or not values.is_file():
            continue
        name = judge.load(path.read_text()).get("name")
        data = judge.load(values.read_text())
        texts = [path, path.parent / "requirements.yaml", *path.parent.glob("templates/**/*")]
        uses_toolkit = any(text.is_file() and b"helm-toolkit" in text.read_bytes() for text in texts)
        if name != "helm-toolkit" and isinstance(data, dict) and "images" in data and uses_toolkit:
            found.append((name, str(values.relative_to(folder))))
    return found


def count_charts(folder):
    return sum(not path.is_symlink() for path in folder.rglob("Chart.yaml"))


# ---- the engines ----

def yq_engines():
    loop = str(HERE / "engines/yq_loop")
    own = CACHE / "venv/bin/yq"
    for yq in filter(None, [os.environ.get("YQ"), shutil.which("yq"), own.is_file() and str(own)]):
        version = subprocess.run([yq, "--version"], capture_output=True, text=True).stdout
        if "mikefarah" in version:
            yield "yq (mikefarah), loop", [loop, "mikefarah"], {"YQ": yq}
            break
    else:
        miss("mikefarah's yq: neither $YQ nor on the PATH, and not on PyPI, npm or in Debian 12")
    if not own.is_file():
        miss("kislyuk's yq: could not be installed from PyPI")
    elif not shutil.which("jq"):
        miss("kislyuk's yq: needs jq (`jq` in Debian)")
    else:
        yield "yq (kislyuk), loop", [loop, "kislyuk"], {"YQ": str(own)}


def engines(work, wanted_text, pristine, jobs):
    """(name, command in the folder of checkouts, environment, whether it is this program)."""
    wanted = work / "wanted.yaml"
    wanted.write_text(wanted_text)
    listed = work / "jobs"
    listed.write_text("".join(f"{chart}\t{path}\n" for chart, path in jobs))
    files = [str(listed), str(wanted)]
    yield "this program, plan", [str(PROGRAM), "plan", "-o", "/dev/null"], {}, True
    yield "this program, apply", [str(PROGRAM), "apply", "-q"], {}, True

    patch = work / "values.patch"
    diff = must([PROGRAM, "plan", "-q"], cwd=pristine, capture_output=True).stdout
    edited = {f"b/{path}".encode() for _, path in jobs}
    parts = [part for part in diff.split(b"diff --git ")[1:] if part.split(b"\n", 1)[0].split(b" ")[1] in edited]
    patch.write_bytes(b"".join(b"diff --git " + part for part in parts))
    yield "git apply, of our diff", ["git", "apply", str(patch)], {"GIT_CEILING_DIRECTORIES": str(work)}, False

    if ENGINES.is_file():
        yield "yaml-edit 0.3.6", [str(ENGINES), "yaml-edit", *files], {}, False
        yield "yamlpatch 1.32.0", [str(ENGINES), "yamlpatch", *files], {}, False
    else:
        miss("yaml-edit and yamlpatch: bench/engines does not build here")
    for name, command, env in yq_engines():
        yield name, [*command, *files], env, False
    try:
        import ruamel.yaml
        for style in ["usual", "tuned"]:
            script = [sys.executable, str(HERE / "engines/ruamel_yaml.py"), style]
            yield f"ruamel.yaml {ruamel.yaml.__version__}, {style}", [*script, *files], {}, False
    except ImportError:
        miss("ruamel.yaml: could not be installed from PyPI")


def read(folder, jobs):
    return {path: (folder / path).read_text() for _, path in jobs}


def compare(work, pristine, rounds):
    """The table of engines on the checkouts in `pristine`."""
    jobs = charts(pristine)
    if not jobs:
        sys.exit(f"no chart with images in {pristine}")
    wanted_text = (HERE.parent / "templates/values.yaml").read_text()
    wanted_text = wanted_text.replace("SECRET_NAME", "CHART-oci-image-registry-key").replace("PORT", "5000")
    wanted = {chart: judge.load(wanted_text.replace("CHART", chart)) for chart, _ in jobs}
    old = read(pristine, jobs)

    contenders = list(engines(work, wanted_text, pristine, jobs))
    runs = {name: [] for name, *_ in contenders}
    verdicts, codes = {}, {}
    for _ in range(rounds):
        for name, command, env, _ in contenders:
            if sum(run.seconds for run in runs[name]) > PATIENCE:
                continue
            tree = work / "tree"
            copy(pristine, tree)
            runs[name].append(run(command, tree, **env))
            if name not in verdicts and name != "this program, plan":
                new = read(tree, jobs)
                second = run(command, tree, **env)
                again = read(tree, jobs)
                judged = (judge.judge(old[path], new[path], again[path], wanted[chart]) for chart, path in jobs)
                verdicts[name] = sum(judged, judge.Verdict())
                codes[name] = f"{runs[name][-1].code}, {second.code}"
            shutil.rmtree(tree)

    def least(name):
        return [min(getattr(run, what) for run in runs[name]) for what in ["seconds", "cpu"]]

    base, base_cpu = least("this program, plan")
    rows = []
    for name, *_ in contenders:
        seconds, cpu = least(name)
        verdict = verdicts.get(name)
        judged = [f"{verdict.right} of {verdict.files}", verdict.incomplete, verdict.lines_removed, verdict.comments_lost,
                  verdict.data_changed, verdict.second_run, codes[name]] if verdict else ["-"] * 7
        rows.append([name, f"{seconds * 1e3:.0f}", f"{seconds / base:.1f}", f"{cpu * 1e3:.0f}", f"{cpu / base_cpu:.1f}",
                     mebibytes(runs[name]), *judged])
    table(["engine", "ms", "ratio", "CPU ms", "ratio", "MiB", "right", "incomplete", "lines removed", "comments lost",
           "data changed", "second run", "exit codes"], rows)
    ours = verdicts["this program, apply"]
    return ours.right == ours.files


def mebibytes(runs):
    return f"{max(run.memory for run in runs):.0f}"


# ---- more and more copies ----

def scale(work, name, pristine, copies, rounds):
    """Plan, ripgrep and git status on copies of the checkouts, all of them in one call."""
    one = count_charts(pristine)
    rg = CACHE / "venv/bin/rg"
    rg = str(rg) if rg.is_file() else shutil.which("rg")
    commands = {"plan": [str(PROGRAM), "plan", "-o", "/dev/null"]}
    if rg:
        commands["rg"] = [rg, "-c", WORD, "."]
    else:
        miss("ripgrep: could not be installed from PyPI, and not on the PATH")
    commands["git status"] = ["git", "status", "--porcelain"]
    trees, runs = {}, {}
    for number in copies:
        trees[number] = work / f"copies-{number}"
        trees[number].mkdir()
        for index in range(number):
            copy(pristine, trees[number] / f"{index:03}")
        if number > MAX_GIT:
            miss(f"git status on more than {MAX_GIT} copies: making the repository takes minutes")
        else:
            for arguments in [["init", "-q"], ["add", "-A", "-f"],
                              ["-c", "user.name=b", "-c", "user.email=b@b", "commit", "-q", "-m", "before"]]:
                must(["git", "-C", trees[number], *arguments])
    for _ in range(rounds):
        for number in copies:
            for tool, command in commands.items():
                if tool != "git status" or number <= MAX_GIT:
                    runs.setdefault((tool, number), []).append(run(command, trees[number]))
    rows = []
    for number in copies:
        def least(tool, what="seconds"):
            return min(getattr(run, what) for run in runs[tool, number])
        count = one * number
        each, cpu = (least("plan", what) / count * 1e6 for what in ["seconds", "cpu"])
        if number == copies[0]:
            first, first_cpu = each, cpu
        floors = [f"{least(tool) * 1e3:.0f} ({least('plan') / least(tool):.2f})" if (tool, number) in runs else "-"
                  for tool in ["rg", "git status"]]
        rows.append([name, number, count, f"{least('plan') * 1e3:.0f}", f"{each:.0f}", f"{each / first:.2f}",
                     f"{cpu / first_cpu:.2f}", mebibytes(runs["plan", number]), *floors])
    for tree in trees.values():
        shutil.rmtree(tree)
    return rows


def table(head, rows):
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
    print(flush=True)


def main():
    options = arguments.parse()
    print(f"The judge has noticed each of the {judge.self_test()} faults that were made to test it.\n")
    is_right = True
    with tempfile.TemporaryDirectory(dir=options.work, prefix="work-") as work:
        work = pathlib.Path(work)
        if options.git:
            found = {}
            for year, commits in CHECKOUTS.items():
                found[year] = work / year
                archive(options.git, commits, found[year])
        else:
            found = {"yours": work / "yours"}
            copy_checkouts([path.resolve() for path in options.checkouts], found["yours"])
        name, pristine = next(iter(found.items()))
        print(f"## Values edits, {name}: {len(charts(pristine))} charts\n")
        is_right = compare(work, pristine, options.rounds)

        if options.copies:
            rows = []
            for name, pristine in found.items():
                rows += scale(work, name, pristine, options.copies, options.rounds)
            migrated = work / "migrated"
            copy(pristine, migrated)
            must([PROGRAM, "apply", "-q", migrated], stderr=subprocess.DEVNULL)
            rows += scale(work, f"{name}, migrated", migrated, options.copies, options.rounds)
            print(f"## Copies: plan, and as floors rg (one word, `{WORD}`) and git status\n")
            table(["checkout", "copies", "charts", "plan ms", "µs a chart", "to 1 copy", "CPU to 1 copy", "MiB",
                   "rg ms (plan/rg)", "git status ms (plan/git)"], rows)
        else:
            miss("copies: none were asked for")
    for what in not_measured:
        print(f"not measured: {what}")
    if not is_right:
        sys.exit("this program's own edits are not all right")


if __name__ == "__main__":
    main()
