/**
 * Configs with what becomes of them, as files in test/golden that anyone can add to. A file is three parts between `---` lines:
 * settings (`# comment`, `file: gateway.yaml`, `env: NAME=value`, `vercel`, `production`, `build`, `check`, `resolve`, `full`), the config, and what is
 * expected: the compiled form where it differs from a plain config (with `full` all of it), or the messages with their rules. `UPDATE_GOLDEN=1 npx vitest run test/config/golden.test.ts` writes the last part.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createAssertions } from "../../lib/backends/assertions.ts";
import { compileConfig } from "../../lib/compiler/compile.ts";
import { loadConfig } from "../../lib/compiler/load-config.ts";
import { parseEnvironment, redisOnVercel } from "../../lib/config/env.ts";
import { ConfigError, formatIssues, type Issue, RULES } from "../../lib/config/issue.ts";
import { resolveReferences } from "../../lib/config/references.ts";
import type { CompiledBackend } from "../../lib/contract/compiled/backend.ts";
import type { CompiledConfig, CompiledRoute, CompiledStep } from "../../lib/contract/compiled/config.ts";

const folder = join(import.meta.dirname, "../golden");
// Inside of the repository, so that a config in TypeScript finds #frontdesk.
const scratch = join(import.meta.dirname, "../../.frontdesk/golden");
const files = readdirSync(folder).filter((file) => file.endsWith(".txt"));
const SEPARATOR = "\n---\n";

describe("golden configs", () => {
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  test.each(files)("%s", async (file) => {
    const path = join(folder, file);
    const [settings = "", config = "", expected = ""] = readFileSync(path, "utf8").split(SEPARATOR);
    const actual = `${await outcomeOf(file, settings.split("\n"), config)}\n`;
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, [settings, config, actual].join(SEPARATOR));
    else expect(actual).toBe(expected);
  });

  test("every rule is broken by at least one of them", () => {
    const told = files.map((file) => readFileSync(join(folder, file), "utf8").split(SEPARATOR)[2] ?? "").join("\n");
    expect(RULES.filter((rule) => !told.includes(`[${rule}]`))).toEqual([]);
  });
});

async function outcomeOf(name: string, settings: readonly string[], config: string): Promise<string> {
  const all = (key: string) => settings.flatMap((line) => (line.startsWith(`${key}: `) ? [line.slice(key.length + 2)] : []));
  const [file] = all("file");
  const variables = Object.fromEntries(
    all("env").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const cwd = join(scratch, name);
  if (config !== "") {
    const path = join(cwd, file ?? "gateway.config.ts");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, config);
  }
  let origin = "environment";
  try {
    const environment = parseEnvironment(variables);
    const source = await loadConfig(environment, { cwd, file });
    origin = source.origin;
    const vercel = settings.includes("vercel");
    const production = settings.includes("production");
    const [json] = all("vercel.json");
    const vercelJson = json === undefined ? undefined : JSON.parse(json);
    const redis = vercel ? redisOnVercel(environment) : undefined;
    const geoDatabase = settings.includes("check") ? environment.geoDatabase !== undefined : undefined;
    const trustsProxy = settings.includes("check") ? environment.trustsProxy : undefined;
    const hasCronSecret = environment.cronSecret !== undefined;
    const options = { vercel, redis, production, vercelJson, hasCronSecret, geoDatabase, trustsProxy };
    const { config: compiled, warnings } = compileConfig(
      source,
      settings.includes("build") ? { ...options, keepOut: variables } : options,
    );
    const resolved = resolveReferences(compiled, environment.variables, origin);
    if (settings.includes("resolve")) createAssertions(resolved, environment, Date.now);
    const { digest: _, ...shown } = settings.includes("resolve") ? resolved : compiled;
    const text = pretty(settings.includes("full") ? shown : differing(shown));
    return [...warnings.map((issue) => lineOf(issue, origin)), text].join("\n");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map((issue) => lineOf(issue, error.origin)).join("\n");
  }
}

function lineOf(issue: Issue, origin: string): string {
  return `[${issue.rule}] ${formatIssues([issue], origin)}`;
}

type Shown = Omit<CompiledConfig, "digest">;

/** A config that asks for nothing special: a golden file leaves out the values that are equal here. */
const plain = compileConfig(
  {
    value: {
      backends: { plain: "http://plain" },
      routes: [
        { path: "/", backend: "plain", auth: "none" },
        { path: "/own", respond: {}, auth: "none" },
      ],
    },
    origin: "plain",
    locate: () => undefined,
  },
  { vercel: false },
).config;

function differing({ backends, routes, unrouted, trust, ...others }: Shown): object {
  return {
    ...without(others, plain),
    backends: filled(backends.map(differingBackend)),
    routes: routes.map(differingRoute),
    unrouted: filled(unrouted.map(differingStep)),
    trust: JSON.stringify(trust) === JSON.stringify(plain.trust) ? undefined : without(trust, plain.trust),
  };
}

function differingBackend({ name, targets, ...others }: CompiledBackend): object {
  const standard = plain.backends[0]!;
  const differingTargets = targets.map((target) => ({ url: target.url, ...without(target, standard.targets[0]!) }));
  return { name, targets: differingTargets, ...without(others, standard) };
}

/** A route that answers itself has another standard: it waits for no backend. */
function differingRoute({ id, position, path, backend, variants, ...others }: CompiledRoute): object {
  const standard = plain.routes[backend === undefined ? 1 : 0]!;
  const differingVariants = variants.map(({ steps, ...settings }) => ({
    ...without(settings, standard.variants[0]!),
    steps: filled(steps.map(differingStep)),
  }));
  const isPlain = JSON.stringify(differingVariants) === "[{}]";
  return { id, position, path, backend, ...without(others, standard), variants: isPlain ? undefined : differingVariants };
}

function differingStep(step: CompiledStep): object {
  return without(step, { custom: false, mode: "enforce" });
}

function filled<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length > 0 ? items : undefined;
}

/** The entries of an object that differ from those of a plain one. */
function without(value: object, standard: object): object {
  const known = new Map(Object.entries(standard).map(([key, each]) => [key, JSON.stringify(each)]));
  return Object.fromEntries(Object.entries(value).filter(([key, each]) => JSON.stringify(each) !== known.get(key)));
}

/** JSON in which what fits on a line stands on one. */
function pretty(value: unknown, indent = ""): string {
  const line = JSON.stringify(value);
  if (typeof value !== "object" || value === null || indent.length + line.length <= 130) return line;
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  const items = present.map(([key, item]) => `${inner}${isList ? "" : `${JSON.stringify(key)}: `}${pretty(item, inner)}`);
  return `${isList ? "[" : "{"}\n${items.join(",\n")}\n${indent}${isList ? "]" : "}"}`;
}
