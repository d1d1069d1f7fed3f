#!/usr/bin/python
"""Stands for Zuul's module of this name: keeps what it is given in the file $ZUUL_RETURN."""

import json
import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={"data": {"type": "dict", "required": True}})
    with open(os.environ["ZUUL_RETURN"], "a") as file:
        file.write(json.dumps(module.params["data"]) + "\n")
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
