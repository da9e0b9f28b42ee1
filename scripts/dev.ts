/**
 * `npm run dev`: the Node host, kept in step with the files that are being edited. What can't be used is told and changes nothing:
 * the gateway that runs goes on. Folders are watched, not files: editors replace a file by a new one of its name.
 */
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { existsSync, type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { readEnvironment } from "../lib/config/env.ts";

/** A config is loaded again by the running process; code and variables need a new one. */
type Change = "config" | "code";

const ROOT = join(import.meta.dirname, "..");
const CWD = process.cwd();
const POLICIES = join(CWD, "policies");
const ARGS = process.argv.slice(2);
/** Editors write a file in several steps. */
const SETTLE_MS = 50;

let server: ChildProcess | undefined;
let isStopping = false;
let pending: Change | undefined;
let timer: NodeJS.Timeout | undefined;
const watchers = new Map<string, FSWatcher>();

start();
watchAll();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    isStopping = true;
    if (!server) process.exit(0);
    server.kill(signal);
  });
}

function start(): void {
  const started = fork(join(ROOT, "server.ts"), ["--dev", ...ARGS], { cwd: CWD });
  server = started;
  started.once("exit", (code) => {
    if (server === started) server = undefined;
    if (isStopping) process.exit(code ?? 0);
    // 2: the call itself was wrong, which no edited file mends.
    if (code === 2) process.exit(2);
    if (code !== 0 && code !== null) console.error("waiting for a change …");
  });
}

function watchAll(): void {
  const file = resolve(CWD, configFile());
  const ofRoot: Readonly<Record<string, Change>> = { ".env": "code", ".env.local": "code" };
  watchFolder(CWD, (name) => {
    if (name === "policies" && !watchers.has(POLICIES)) return watchTree(POLICIES) ? "code" : undefined;
    return resolve(CWD, name) === file ? "config" : ofRoot[name];
  });
  if (dirname(file) !== CWD) watchFolder(dirname(file), (name) => (name === basename(file) ? "config" : undefined));
  watchTree(join(ROOT, "lib"));
  watchTree(POLICIES);
}

/** Code in a folder and those below it, also in such as are made later. False where there is no such folder. */
function watchTree(folder: string): boolean {
  if (!isFolder(folder)) return false;
  // Each by itself: a recursive watch of Node's on Linux loses a file that is replaced.
  watchFolder(folder, (name) => {
    if (isFolder(join(folder, name)) && !watchers.has(join(folder, name)))
      return watchTree(join(folder, name)) ? "code" : undefined;
    return /\.[cm]?[jt]s$|\.json$/.test(name) ? "code" : undefined;
  });
  for (const name of readdirSync(folder)) watchTree(join(folder, name));
  return true;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function configFile(): string {
  try {
    return readEnvironment(CWD).configFile ?? "gateway.config.ts";
  } catch {
    // The server has told what is wrong with it.
    return "gateway.config.ts";
  }
}

function watchFolder(folder: string, changeIn: (name: string) => Change | undefined): void {
  if (watchers.has(folder) || !existsSync(folder)) return;
  const watcher = watch(folder, (_, name) => {
    const change = name === null ? undefined : changeIn(name);
    if (change) schedule(change);
    if (!existsSync(folder)) forget();
  });
  const forget = () => {
    watcher.close();
    watchers.delete(folder);
  };
  watcher.on("error", forget);
  watchers.set(folder, watcher);
}

function schedule(change: Change): void {
  if (pending !== "code") pending = change;
  clearTimeout(timer);
  timer = setTimeout(() => {
    const due = pending;
    pending = undefined;
    if (server && due === "config") server.send("reload");
    else if (!server || isSound()) restart();
  }, SETTLE_MS);
}

/** Tried in a process of its own, as the new server would load it. */
function isSound(): boolean {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "lib", "cli", "frontdesk.ts"), "check"], {
    cwd: CWD,
    encoding: "utf8",
  });
  if (status === 0) return true;
  console.error(`${`${stdout}${stderr}`.trim()}\nthe change is not used; the gateway goes on as it was`);
  return false;
}

function restart(): void {
  watchAll();
  if (!server) {
    start();
    return;
  }
  server.once("exit", () => !isStopping && start());
  server.kill("SIGTERM");
}
