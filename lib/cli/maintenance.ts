/** `frontdesk maintenance`: turns the switch in the stores that every instance looks at. */
import { compileConfig } from "../config/compile.ts";
import { type Environment, readEnvironment } from "../config/env.ts";
import { loadConfig } from "../config/load.ts";
import { createLog } from "../observe/log.ts";
import { readSwitch, type SwitchState, writeSwitch } from "../policies/maintenance/switch.ts";
import type { StoreReply } from "../stores/reply.ts";
import { CONFIG_FLAG, type Command, JSON_FLAG, OK, type Result, UsageError, WRONG } from "./command.ts";
import { openStores } from "./open-stores.ts";

export const maintenance: Command = {
  name: "maintenance",
  summary: "switches maintenance on or off for every instance, within 5 s",
  operands: "[on|off|status]",
  maxOperands: 1,
  flags: { config: CONFIG_FLAG, json: JSON_FLAG },
  details:
    "Works on the stores of this environment: Redis where it is set, else the data folder of a Node host on this machine.\n" +
    "Routes with `maintenance` in the config then answer 503; `maintenance: {}` is enough. What the config says itself stays.",
  async run(call) {
    const [wanted = "status"] = call.operands;
    if (!["on", "off", "status"].includes(wanted))
      throw new UsageError(`it takes on, off or status, not ${JSON.stringify(wanted)}.`);
    const environment = readEnvironment(call.cwd);
    const source = await loadConfig(environment, { cwd: call.cwd, file: call.one("config") });
    const { config } = compileConfig(source, { vercel: false });
    const covered = config.routes.filter(({ variants }) =>
      variants.some(({ steps }) => steps.some(({ policy }) => policy === "maintenance")),
    );
    const state = await turn(call.cwd, environment, wanted === "status" ? undefined : wanted === "on");
    if (state.state !== "ok")
      return { code: WRONG, err: `the store did not answer (${state.reason}): nothing is known of the switch.` };
    return answer(state.value, covered.length, config.routes.length, call.has("json"));
  },
};

async function turn(cwd: string, environment: Environment, on: boolean | undefined): Promise<StoreReply<SwitchState>> {
  const stores = await openStores(cwd, createLog(), environment);
  try {
    if (on !== undefined) {
      const written = await writeSwitch(stores.blobs, on, Date.now());
      if (written.state !== "ok") return written;
    }
    return await readSwitch(stores.blobs, Date.now());
  } finally {
    await stores.close();
  }
}

function answer({ on, since }: SwitchState, covered: number, all: number, json: boolean): Result {
  if (json) return { code: OK, out: JSON.stringify({ on, since, routes: covered }) };
  const position = `maintenance is ${on ? "on" : "off"}${since === undefined ? "" : ` since ${since}`}`;
  if (covered === 0) {
    return {
      code: OK,
      out: position,
      err: "no route of this config has `maintenance`, so that the switch changes nothing: write `maintenance: {}`.",
    };
  }
  return { code: OK, out: `${position}, for ${covered} of ${all} routes` };
}
