"""What a client of an older OpenAPI document would stumble over in a newer one."""


def resolved(document, schema):
    while "$ref" in schema:
        node = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = node
    return schema


class Breaking:
    def __init__(self, old, new):
        self.old, self.new, self.found, self.seen = old, new, [], set()

    def report(self):
        for path, methods in self.old["paths"].items():
            for method, old in methods.items():
                new = self.new["paths"].get(path, {}).get(method)
                where = f"{method.upper()} {path}"
                if new is None:
                    self.found.append(f"{where} is gone")
                else:
                    self.operation(where, old, new)
        return self.found

    def operation(self, where, old, new):
        for parameter in new.get("parameters", []):
            known = [p for p in old.get("parameters", []) if (p["name"], p["in"]) == (parameter["name"], parameter["in"])]
            if parameter.get("required") and not (known and known[0].get("required")):
                self.found.append(f"{where}: parameter {parameter['name']} is required now")
        for parameter in old.get("parameters", []):
            if not any((p["name"], p["in"]) == (parameter["name"], parameter["in"]) for p in new.get("parameters", [])):
                self.found.append(f"{where}: parameter {parameter['name']} is gone")
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                if status.startswith("2"):
                    self.found.append(f"{where}: answer {status} is gone")
                continue
            for kind, content in answer.get("content", {}).items():
                other = new["responses"][status].get("content", {}).get(kind)
                if other is None:
                    self.found.append(f"{where}: answer {status} is no {kind} any more")
                elif "schema" in content:
                    self.answer(f"{where} {status}", content["schema"], other["schema"])
        for kind, content in old.get("requestBody", {}).get("content", {}).items():
            other = new.get("requestBody", {}).get("content", {}).get(kind)
            if other is None:
                self.found.append(f"{where}: the body may be no {kind} any more")
            elif "schema" in content:
                self.body(f"{where} body", content["schema"], other["schema"])

    def pair(self, where, old, new):
        """The schemas behind the references, once for each pair of names."""
        key = (where.split(" ")[-1], old.get("$ref"), new.get("$ref"))
        if old.get("$ref") and key in self.seen:
            return None
        self.seen.add(key)
        return resolved(self.old, old), resolved(self.new, new)

    def answer(self, where, old, new):
        """Members that clients read are still there, and mean what they meant."""
        both = self.pair(where, old, new)
        if both is None:
            return
        old, new = both
        if old.get("type") != new.get("type"):
            self.found.append(f"{where} was {old.get('type')}, is {new.get('type')}")
        for name, schema in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                self.found.append(f"{where}.{name} is gone")
                continue
            if name in old.get("required", []) and name not in new.get("required", []):
                self.found.append(f"{where}.{name} may be missing now")
            self.answer(f"{where}.{name}", schema, new["properties"][name])
        if "items" in old and "items" in new:
            self.answer(f"{where}[]", old["items"], new["items"])

    def body(self, where, old, new):
        """What clients send is still taken."""
        both = self.pair(where, old, new)
        if both is None:
            return
        old, new = both
        for name in set(new.get("required", [])) - set(old.get("required", [])):
            self.found.append(f"{where}.{name} is required now")
        for value in set(map(str, old.get("enum", []))) - set(map(str, new.get("enum", old.get("enum", [])))):
            self.found.append(f"{where}: {value} is not taken any more")
        for name, schema in old.get("properties", {}).items():
            if name in new.get("properties", {}):
                self.body(f"{where}.{name}", schema, new["properties"][name])


def breaking(old, new):
    return Breaking(old, new).report()
