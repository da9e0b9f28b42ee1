/** Finds the config: gateway.config.ts, the file named by GATEWAY_CONFIG_FILE, or the text in GATEWAY_CONFIG or GATEWAY_ROUTES. */
import { existsSync } from "node:fs";
import { extname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Environment } from "../config/env.ts";
import { ConfigError, type Position, type Rule } from "../config/issue.ts";
import { readTextFile } from "../config/text-file.ts";
import type { Source } from "./compile-options.ts";
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
      return parseJson(readTextFile(path, origin), origin);
    case ".yaml":
    case ".yml":
      return parseYaml(readTextFile(path, origin), origin);
    default:
      throw fault("source-missing", origin, "a config is a .ts, .json, .yaml or .yml file.");
  }
}

let imports = 0;

/** A fresh copy at each call. What the file imports itself stays as it was first loaded: Node keeps modules by their address. */
async function importConfig(path: string, origin: string): Promise<Source> {
  let module: { default?: unknown };
  // Node says nothing of the encoding of what it loads.
  readTextFile(path, origin);
  try {
    module = (await import(
      /* turbopackIgnore: true */ /* @vite-ignore */ `${pathToFileURL(path).href}?load=${++imports}`
    )) as typeof module;
  } catch (error) {
    throw importFault(error, path, origin);
  }
  if (module.default === undefined)
    throw fault("source-import", origin, "it has no default export.", "Write `export default defineGateway({ … })`.");
  return { value: module.default, origin, module: path, locate: () => undefined };
}

function importFault(thrown: unknown, path: string, origin: string): ConfigError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const fix = error.message.includes("Cannot find package 'frontdesk'") ? 'The import is "#frontdesk".' : undefined;
  const message = `it can't be loaded: ${error.message}${fix ? "." : ""}`;
  return new ConfigError(
    [{ rule: "source-import", severity: "error", path: "", message, fix, ...positionOf(error, path) }],
    origin,
  );
}

/** Where in the file, as far as the error tells: behind the file's address, or above a line of carets for a fault of the syntax. */
function positionOf({ stack = "" }: Error, path: string): Position | undefined {
  const address = pathToFileURL(path).href;
  const at = stack.indexOf(address);
  const [, line, column] = at < 0 ? [] : (/^(?:\?load=\d+)?:(\d+)(?::(\d+))?/.exec(stack.slice(at + address.length)) ?? []);
  if (line === undefined) return undefined;
  const caret = /^ *\^/m.exec(stack)?.[0].length ?? 1;
  return { line: Number(line), column: Number(column ?? caret) };
}

function fault(rule: Rule, origin: string, message: string, fix?: string): ConfigError {
  return new ConfigError([{ rule, severity: "error", path: "", message, fix }], origin);
}
