"""Makes regexes.json of the rules that the Python package ua-parser-builtins carries.

    pip download --no-deps ua-parser-builtins && unzip ua_parser_builtins-*.whl
    python3 convert.py ua_parser_builtins/matchers.py > regexes.json

That package is a monthly snapshot of uap-core's main branch; its file REVISION has the commit. One rule is one line, so that
a newer snapshot shows what has changed.
"""

import json
import sys
import types

AGENT = ["regex", "family_replacement", "v1_replacement", "v2_replacement", "v3_replacement", "v4_replacement"]
SYSTEM = ["regex", "os_replacement", "os_v1_replacement", "os_v2_replacement", "os_v3_replacement", "os_v4_replacement"]
DEVICE = ["regex", "regex_flag", "device_replacement", "brand_replacement", "model_replacement"]
SHORT = {"family": 1, "major": 2, "minor": 3, "patch": 4, "patch_minor": 5}
SHORT_OF_DEVICE = {"regex_flag": 1, "family": 2, "brand": 3, "model": 4}


def matcher(keys, short):
    def rule(*given, **named):
        values = dict(zip(keys, given)) | {keys[short[name]]: value for name, value in named.items()}
        return {key: values[key] for key in keys if values.get(key) is not None}

    return rule


def main(path):
    matchers = types.ModuleType("ua_parser.matchers")
    matchers.UserAgentMatcher = matcher(AGENT, SHORT)
    matchers.OSMatcher = matcher(SYSTEM, SHORT)
    matchers.DeviceMatcher = matcher(DEVICE, SHORT_OF_DEVICE)
    sys.modules |= {"ua_parser": types.ModuleType("ua_parser"), "ua_parser.matchers": matchers}
    names = {}
    with open(path, encoding="utf-8") as source:
        exec(source.read(), names)
    lists = zip(["user_agent_parsers", "os_parsers", "device_parsers"], names["MATCHERS"])
    rows = lambda rules: ",\n".join(json.dumps(rule, ensure_ascii=False) for rule in rules)
    print("{\n" + ",\n".join(f'"{name}": [\n{rows(rules)}\n]' for name, rules in lists) + "\n}")


main(sys.argv[1])
