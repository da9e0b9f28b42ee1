/** `frontdesk init`: the secrets and a first config. It changes nothing that is there already. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileConfig } from "../compiler/compile.ts";
import { type Environment, readEnvironment } from "../config/env.ts";
import { ConfigError } from "../config/issue.ts";

import { type Call, type Command, OK, UsageError } from "./command.ts";
import { EnvFile } from "./env-file.ts";
import { bold, good, quiet } from "./page.ts";

const STANDARD_FILE = "gateway.config.ts";
/** SHA-256 of gateway.config.ts as a copy of this repository has it. */
const TEMPLATE_DIGEST = "daaafb67dc65542d3fa897709fe51cbeec1e27929688756da7ac3c6d0e961848";
const ENV_FILE = ".env.local";
const SECRETS = [
  { name: "GATEWAY_SECRET", meaning: "32 random bytes: keys for plans, sessions and assertions are made of it" },
  { name: "GATEWAY_ADMIN_TOKEN", meaning: "the operator's token, for /gateway" },
];

export const init: Command = {
  name: "init",
  summary: "writes the secrets and a first config",
  operands: "",
  maxOperands: 0,
  flags: {
    backend: { type: "string", value: "url", help: "a first backend: the config then sends requests there" },
    path: { type: "string", value: "/api/*", help: "the path of the first route: /api/*, or / without a backend" },
    force: { type: "boolean", help: `writes a new ${STANDARD_FILE} over one that was edited` },
  },
  details: `Secrets go to ${ENV_FILE}, which only you can read; values that are set anywhere already are kept.`,
  async run(call) {
    const environment = environmentOf(call.cwd);
    // Made before anything is written: a wrong --backend or --path leaves nothing behind.
    const config = firstConfig(call.one("backend"), call.one("path"));
    const done = [...writeSecrets(call.cwd, environment), writeConfig(call, environment, config)];
    return { code: OK, out: [...done, "", ...nextSteps(call.cwd)].join("\n") };
  },
};

function environmentOf(cwd: string): Environment {
  try {
    return readEnvironment(cwd);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const fix = "`frontdesk init` overwrites no value: correct or remove it first.";
    throw new ConfigError(
      error.issues.map((issue) => ({ ...issue, fix })),
      error.origin,
    );
  }
}

function writeSecrets(cwd: string, { variables }: Environment): string[] {
  const missing = SECRETS.filter(({ name }) => variables[name] === undefined);
  const kept = SECRETS.filter((secret) => !missing.includes(secret)).map(
    ({ name }) => `${quiet("=")} ${name} is set already, and was kept`,
  );
  if (missing.length === 0) return kept;
  const file = new EnvFile(join(cwd, ENV_FILE));
  for (const { name, meaning } of missing) file.set(name, randomBytes(32).toString("base64url"), meaning);
  file.save();
  return [...missing.map(({ name }) => `${good("+")} ${name} was written to ${ENV_FILE} (only you can read it)`), ...kept];
}

/** Nobody has written anything of theirs into it. */
function isUntouched(file: string): boolean {
  const text = readFileSync(file, "utf8").replaceAll("\r\n", "\n");
  return text === firstConfig(undefined) || createHash("sha256").update(text).digest("hex") === TEMPLATE_DIGEST;
}

function writeConfig({ cwd, has }: Call, { configFile, configText, routesText }: Environment, text: string): string {
  const asked = ["backend", "path"].filter((flag) => has(flag)).map((flag) => `--${flag}`);
  const unused = asked.length === 0 ? "" : `; ${asked.join(" and ")} had no effect`;
  const source = Object.entries({ GATEWAY_CONFIG_FILE: configFile, GATEWAY_CONFIG: configText, GATEWAY_ROUTES: routesText }).find(
    ([, value]) => value !== undefined,
  );
  if (source) return `${quiet("=")} ${source[0]} holds the config, and no ${STANDARD_FILE} was written${unused}`;
  const file = join(cwd, STANDARD_FILE);
  const exists = existsSync(file);
  const mayReplace = has("force") || (exists && asked.length > 0 && isUntouched(file));
  if (exists && !mayReplace)
    return `${quiet("=")} ${STANDARD_FILE} is there already, and was kept${unused} (--force writes a new one)`;
  writeFileSync(file, text);
  return `${good("+")} ${STANDARD_FILE} was ${exists ? "replaced" : "written"}`;
}

/** As text; throws a UsageError where it would not compile. */
function firstConfig(backend: string | undefined, path = backend === undefined ? "/" : "/api/*"): string {
  const route =
    backend === undefined
      ? { path, auth: "none", respond: { json: { message: "Frontdesk is running." } } }
      : { path, backend: "api", auth: "none" };
  const value = { ...(backend === undefined ? {} : { backends: { api: backend } }), routes: [route] };
  try {
    compileConfig({ value, origin: STANDARD_FILE, locate: () => undefined }, { vercel: false });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new UsageError(
      error.issues
        .map(({ path: place, message }) => `${place.startsWith("backends") ? "--backend" : "--path"}: ${message}`)
        .join("\n"),
    );
  }
  const lines = [
    'import { defineGateway } from "#frontdesk";',
    "",
    "// docs/config.md has every key; `npx frontdesk check` says what a config means.",
    "export default defineGateway({",
    ...(backend === undefined ? [] : [`  backends: { api: ${JSON.stringify(backend)} },`, ""]),
    "  routes: [",
    "    // Order does not matter: the most specific path wins. Each route says who may call.",
    backend === undefined
      ? `    { path: ${JSON.stringify(path)}, auth: "none", respond: { json: { message: "Frontdesk is running." } } },`
      : `    { path: ${JSON.stringify(path)}, backend: "api", auth: "none" },`,
    "  ],",
    "});",
  ];
  return `${lines.join("\n")}\n`;
}

function nextSteps(cwd: string): string[] {
  const uploads = SECRETS.map(({ name }) => {
    const file = [ENV_FILE, ".env"].find((candidate) => new EnvFile(join(cwd, candidate)).has(name));
    // The value goes from file to pipe: no shell's history, no list of processes shows it.
    const value = file === undefined ? `printenv ${name}` : `sed -n 's/^${name}=//p' ${file}`;
    return `  ${value} | tr -d '\\n"' | npx vercel env add ${name} production --sensitive`;
  });
  return [
    bold("Next"),
    "  npx frontdesk check     says what the config means",
    "  npm run dev             serves it on http://localhost:4000",
    "",
    `${bold("For Vercel")} ${quiet("(after npx vercel link)")}`,
    ...uploads,
    "  npx vercel deploy --prod",
  ];
}
