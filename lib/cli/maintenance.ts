/** `frontdesk maintenance`: turns the switch that every instance of a gateway looks at. */
import type { Json } from "../contract/json.ts";
import { shown } from "./admin-answer.ts";
import { CLIENT_FLAGS, openAdminClient } from "./admin-client.ts";
import { type Command, UsageError } from "./command.ts";

export const maintenance: Command = {
  name: "maintenance",
  summary: "switches maintenance on or off for every instance, within 5 s",
  operands: "[on|off|status]",
  maxOperands: 1,
  flags: CLIENT_FLAGS,
  details:
    "Routes with `maintenance` in the config then answer 503; `maintenance: {}` is enough. What the config says itself stays.\n" +
    "With --url or GATEWAY_URL it asks that gateway, by GATEWAY_ADMIN_TOKEN. Otherwise it works on the stores of this environment:\n" +
    "Redis where it is set, else the data folder of a Node host on this machine.",
  async run(call) {
    const [wanted = "status"] = call.operands;
    if (!["on", "off", "status"].includes(wanted))
      throw new UsageError(`it takes on, off or status, not ${JSON.stringify(wanted)}.`);
    const client = await openAdminClient(call);
    try {
      const answer =
        wanted === "status"
          ? await client.send("GET", "maintenance")
          : await client.send("PUT", "maintenance", { on: wanted === "on" });
      return shown(answer, call, positionOf, client.where);
    } finally {
      await client.close();
    }
  },
};

function positionOf({ on, since, routes, ofRoutes }: Readonly<Record<string, Json>>): string {
  const position = `maintenance is ${on ? "on" : "off"}${since === null ? "" : ` since ${since}`}`;
  if (routes !== 0) return `${position}, for ${routes} of ${ofRoutes} routes`;
  return `${position}; no route of this config has \`maintenance\`, so that the switch changes nothing: write \`maintenance: {}\``;
}
