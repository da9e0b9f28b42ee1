#!/usr/bin/env node
/** The `frontdesk` command: `npx frontdesk …` in a checkout, or `npm run -s frontdesk -- …`. */
import { runCommand } from "./run-command.ts";

function write(stream: NodeJS.WriteStream, text: string | undefined): Promise<unknown> {
  return text === undefined ? Promise.resolve() : new Promise((done) => stream.write(`${text}\n`, done));
}

// `frontdesk routes | head -1` closes the pipe early: no reason for a stack trace.
process.stdout.on("error", () => {});
const { code, out, err } = await runCommand(process.argv.slice(2), process.cwd());
await Promise.all([write(process.stdout, out), write(process.stderr, err)]);
// What a config or a custom policy has left running must not keep the command from ending.
process.exit(code);
