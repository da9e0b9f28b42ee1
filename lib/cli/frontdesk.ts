#!/usr/bin/env node
/** The `frontdesk` command: `npx frontdesk …` in a checkout, or `npm run -s frontdesk -- …`. */
import { ConfigError } from "../config/issue.ts";
import { didYouMean } from "../config/nearest.ts";
import { VERSION } from "../version.ts";
import { MISUSED, OK, type Result, readCall, UsageError, WRONG, withHint } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { helpOn, helpOnAll } from "./help.ts";

async function run([name, ...args]: readonly string[]): Promise<Result> {
  if (name === undefined) return { code: MISUSED, err: helpOnAll(COMMANDS) };
  if (name === "--version") return { code: OK, out: VERSION };
  if (name === "--help" || name === "-h" || (name === "help" && args.length === 0)) return { code: OK, out: helpOnAll(COMMANDS) };
  if (name === "help") return run([args[0]!, "--help"]);
  const command = COMMANDS.find((known) => known.name === name);
  if (!command) {
    const names = COMMANDS.map((known) => known.name);
    const hint = didYouMean(name, names) ?? `There are ${names.join(", ")}.`;
    return { code: MISUSED, err: `frontdesk: ${withHint(`there is no ${JSON.stringify(name)}.`, hint)}` };
  }
  try {
    const call = readCall(command, args, process.cwd());
    return call.has("help") ? { code: OK, out: helpOn(command) } : await command.run(call);
  } catch (error) {
    if (error instanceof ConfigError) return { code: WRONG, err: error.message };
    if (!(error instanceof UsageError)) throw error;
    return { code: MISUSED, err: `frontdesk ${name}: ${error.message}\n\`frontdesk ${name} --help\` says how it is called.` };
  }
}

function write(stream: NodeJS.WriteStream, text: string | undefined): Promise<unknown> {
  return text === undefined ? Promise.resolve() : new Promise((done) => stream.write(`${text}\n`, done));
}

// `frontdesk routes | head -1` closes the pipe early: no reason for a stack trace.
process.stdout.on("error", () => {});
const { code, out, err } = await run(process.argv.slice(2));
await Promise.all([write(process.stdout, out), write(process.stderr, err)]);
// What a config or a custom policy has left running must not keep the command from ending.
process.exit(code);
