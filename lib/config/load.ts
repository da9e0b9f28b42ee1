/** Finds the config: gateway.config.ts, the file named by GATEWAY_CONFIG_FILE, or the text in GATEWAY_CONFIG or GATEWAY_ROUTES. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Source } from "./compile.ts";
import type { Environment } from "./env.ts";
import { ConfigError, type Rule } from "./issue.ts";
import { parseJson, parseYaml } from "./parse-text.ts";
import { readShortRoutes } from "./short-routes.ts";

const STANDARD_FILE = "gateway.config.ts";

export interface LoadOptions {
  /** Paths are relative to it, in messages too. */
  readonly cwd: string;
  /** Takes the place of every other source: `frontdesk check <file>`. */
  readonly file?: string | undefined;
}

/** Throws a ConfigError where there is no config, more than one, or one that can't be read. */
export async function loadConfig(environment: Environment, { cwd, file }: LoadOptions): Promise<Source> {
  const { configFile, configText, routesText } = environment;
  if (file !== undefined) return loadFile(file, cwd);
  const given = Object.entries({
    GATEWAY_CONFIG_FILE: configFile,
    GATEWAY_CONFIG: configText,
    GATEWAY_ROUTES: routesText,
  }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    throw fault(
      "source-conflict",
      "environment",
      `${given.map(([name]) => name).join(" and ")} exclude each other: each is a whole config.`,
      "Leave one.",
    );
  }
  if (configFile !== undefined) return loadFile(configFile, cwd);
  if (configText !== undefined) return parseJson(configText, "GATEWAY_CONFIG");
  if (routesText !== undefined) return readShortRoutes(environment);
  return loadFile(STANDARD_FILE, cwd);
}

async function loadFile(file: string, cwd: string): Promise<Source> {
  const path = resolve(cwd, file);
  const origin = relative(cwd, path) || file;
  if (!existsSync(path))
    throw fault("source-missing", origin, "there is no such file.", "`frontdesk init` writes a first config.");
  switch (extname(path)) {
    case ".ts":
      return importConfig(path, origin);
    case ".json":
      return parseJson(await readFile(path, "utf8"), origin);
    case ".yaml":
    case ".yml":
      return parseYaml(await readFile(path, "utf8"), origin);
    default:
      throw fault("source-missing", origin, "a config is a .ts, .json, .yaml or .yml file.");
  }
}

let imports = 0;

/** A fresh copy at each call. What the file imports itself stays as it was first loaded: Node keeps modules by their address. */
async function importConfig(path: string, origin: string): Promise<Source> {
  let module: { default?: unknown };
  try {
    module = (await import(
      /* turbopackIgnore: true */ /* @vite-ignore */ `${pathToFileURL(path).href}?load=${++imports}`
    )) as typeof module;
  } catch (error) {
    throw fault("source-import", origin, `it can't be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (module.default === undefined)
    throw fault("source-import", origin, "it has no default export.", "Write `export default defineGateway({ … })`.");
  return { value: module.default, origin, module: path, locate: () => undefined };
}

function fault(rule: Rule, origin: string, message: string, fix?: string): ConfigError {
  return new ConfigError([{ rule, severity: "error", path: "", message, fix }], origin);
}
