/** The flags of `node server.ts`: what `npm run dev` and the demo call it with. */
import type { Geo } from "../http/geo.ts";
import { type Command, readCall, UsageError } from "./command.ts";
import { geoFlag, readGeo } from "./geo-flag.ts";

export interface ServerFlags {
  readonly isDev: boolean;
  readonly isDemo: boolean;
  readonly simulatedGeo: Geo | undefined;
}

const FLAGS: Command["flags"] = {
  dev: { type: "boolean", help: "restarted on changes, on loopback" },
  "open-on-loopback": { type: "boolean", help: "the demo: its console is open to this machine" },
  geo: geoFlag("every caller is there; with --dev and in the demo alone"),
};

/** Throws a UsageError for anything else: a flag that is misspelt must not be taken for one that was not given. */
export function readServerFlags(args: readonly string[], cwd: string): ServerFlags {
  const call = readCall({ flags: FLAGS, maxOperands: 0 }, args, cwd);
  const [isDev, isDemo] = [call.has("dev"), call.has("open-on-loopback")];
  const simulatedGeo = readGeo(call);
  if (simulatedGeo && !(isDev || isDemo))
    throw new UsageError("--geo puts every caller in one place: it is for `npm run dev` and the demo.");
  return { isDev, isDemo, simulatedGeo };
}
