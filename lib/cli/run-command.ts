/** One call of `frontdesk`: which command it means, and what comes of it. */

import { VERSION } from "../admin/version.ts";
import { ConfigError } from "../config/issue.ts";
import { didYouMean } from "../config/nearest.ts";
import { MISUSED, OK, type Result, readCall, UsageError, WRONG, withHint } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { helpOn, helpOnAll } from "./help.ts";

/** `cwd` is where the config and `.env` are. */
export async function runCommand([name, ...args]: readonly string[], cwd: string): Promise<Result> {
  if (name === undefined) return { code: MISUSED, err: helpOnAll(COMMANDS) };
  if (name === "--version") return { code: OK, out: VERSION };
  if (name === "--help" || name === "-h" || (name === "help" && args.length === 0)) return { code: OK, out: helpOnAll(COMMANDS) };
  if (name === "help") return runCommand([args[0]!, "--help"], cwd);
  const command = COMMANDS.find((known) => known.name === name);
  if (!command) {
    const names = COMMANDS.map((known) => known.name);
    const hint = didYouMean(name, names) ?? `There are ${names.join(", ")}.`;
    return { code: MISUSED, err: `frontdesk: ${withHint(`there is no ${JSON.stringify(name)}.`, hint)}` };
  }
  try {
    const call = readCall(command, args, cwd);
    return call.has("help") ? { code: OK, out: helpOn(command) } : await command.run(call);
  } catch (error) {
    if (error instanceof ConfigError) return { code: WRONG, err: error.message };
    if (!(error instanceof UsageError)) throw error;
    return { code: MISUSED, err: `frontdesk ${name}: ${error.message}\n\`frontdesk ${name} --help\` says how it is called.` };
  }
}
