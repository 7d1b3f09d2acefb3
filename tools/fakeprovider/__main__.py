"""Plays the providers of config/providers on loopback, well or badly. Usage: python3 tools/fakeprovider [--help]"""

import argparse
import json
import signal
import sys

import control
import definition
from server import Zoo, listen


def main():
    parser = argparse.ArgumentParser(prog="fakeprovider", description=__doc__.partition(" Usage")[0])
    parser.add_argument("--seed", type=int, default=1, help="of every token, key and shuffle (default 1)")
    parser.add_argument("--providers", default=",".join(definition.slugs()), help="comma list; all unless given")
    options = parser.parse_args()
    slugs = options.providers.split(",")
    unknown = set(slugs) - set(definition.slugs())
    if unknown:
        parser.error("no definition: " + ", ".join(sorted(unknown)))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})  # for every thread: one waits for them
    zoo = Zoo(slugs, options.seed)
    port = listen(control.Control(zoo).serve).server_port
    print(json.dumps({"event": "listening", "port": port, "providers": zoo.bases()}), flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    sys.exit(main())
