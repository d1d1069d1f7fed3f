"""What a call of bench/run says. By itself it needs nothing but Python, so that a wrong call is told
of before anything is built.
"""
import argparse
import os
import pathlib

CACHE = pathlib.Path(os.environ.get("BENCH_CACHE", "~/.cache/osh-registry-auth-bench")).expanduser()


def numbers(text):
    return [int(number) for number in text.split(",") if int(number)]


def parse():
    parser = argparse.ArgumentParser(prog="bench/run", description="Times this program against others, and judges what they write.")
    parser.add_argument("checkouts", nargs="*", type=pathlib.Path, metavar="CHECKOUT", help="a checkout; several are planned together")
    parser.add_argument("--git", metavar="GITDIR", help="a clone of openstack/openstack-helm to take checkouts of 2022 and 2026 from")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each command; the least counts (default 5)")
    parser.add_argument("--copies", type=numbers, default="1,10,100", help="how many copies of a checkout (default 1,10,100; 0 for none)")
    parser.add_argument("--work", type=pathlib.Path, default=CACHE, help="where copies are made; 100 copies take some 3 GB")
    options = parser.parse_args()
    if bool(options.checkouts) == bool(options.git):
        parser.error("either checkouts, or --git GITDIR")
    return options


if __name__ == "__main__":
    parse()
