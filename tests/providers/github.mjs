// GitHub's OpenAPI description: paths, parameters, answers and webhooks.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = dirname(createRequire(import.meta.url).resolve("@octokit/openapi/package.json"));

export class GitHub {
  #api = JSON.parse(readFileSync(join(root, "generated/api.github.com.json"), "utf8"));

  check({ where, method, path, query, reads }) {
    const known = Object.keys(this.#api.paths).find((p) => p.replace(/\{[^}]+\}/g, "{}") === path);
    const operation = known && this.#api.paths[known][method.toLowerCase()];
    if (!operation) return [`github ${where}: ${method} ${path} is not in the OpenAPI description`];
    const names = (operation.parameters ?? []).map((p) => this.#follow(p)).filter((p) => p.in === "query").map((p) => p.name);
    const wrong = query.filter((q) => !names.includes(q)).map((q) => `github ${where}: ${path} has no parameter ${q}`);
    const answer = operation.responses["200"]?.content?.["application/json"]?.schema;
    return [...wrong, ...this.#unread(where, answer, reads)];
  }

  checkWebhook({ where, event, action, reads }) {
    const name = [event, action].filter(Boolean).join("-").replaceAll("_", "-");
    const webhook = this.#api["x-webhooks"][name];
    if (!webhook) return [`github ${where}: there is no webhook ${name}`];
    return this.#unread(`${where} (${name})`, webhook.post.requestBody.content["application/json"].schema, reads);
  }

  /** One alternative of each has to be there. */
  #unread(where, schema, reads) {
    return reads
      .filter((alternatives) => !alternatives.some((path) => this.#has(schema, steps(path))))
      .map((alternatives) => `github ${where}: ${alternatives.join(", ")} is not in the answer`);
  }

  #has(schema, [step, ...rest]) {
    if (step === undefined) return true;
    const at = this.#follow(schema);
    const parts = [...(at.allOf ?? []), ...(at.anyOf ?? []), ...(at.oneOf ?? [])];
    const next = step === "[]" ? at.items : at.properties?.[step];
    return (next !== undefined && this.#has(next, rest)) || parts.some((part) => this.#has(part, [step, ...rest]));
  }

  #follow(node) {
    while (node.$ref) node = node.$ref.slice(2).split("/").reduce((at, key) => at[key], this.#api);
    return node;
  }
}

export const steps = (path) => path.match(/\[\]|[^.[\]]+/g) ?? [];
