/** The maintenance switch in the admin API: how it stands, and turning it for every instance within 5 s. */

import type { Refusal } from "../contract/problem.ts";
import type { StoreReply } from "../contract/stores/reply.ts";
import { readSwitch, type SwitchState, writeSwitch } from "../policies/maintenance/switch.ts";
import { type ApiContext, type Call, type Done, type Operation, refuseUnavailable } from "./api.ts";
import { audit } from "./audit.ts";
import type { JsonSchema } from "./json-schema.ts";

const STATE: JsonSchema = {
  type: "object",
  required: ["on", "since", "routes", "ofRoutes"],
  properties: {
    on: { type: "boolean", description: "Routes with `maintenance` answer 503" },
    since: { type: ["string", "null"], format: "date-time", description: "`null`: it was never turned" },
    routes: { type: "integer", description: "How many routes of the config have `maintenance`" },
    ofRoutes: { type: "integer", description: "How many routes the config has" },
  },
};

const WANTED: JsonSchema = {
  type: "object",
  required: ["on"],
  properties: { on: { type: "boolean", description: "`true`: routes with `maintenance` answer 503" } },
  additionalProperties: false,
};

export function maintenanceOperations(context: ApiContext): readonly Operation[] {
  const { stores, config, now } = context;
  const covered = config.routes.filter(({ variants }) =>
    variants.some(({ steps }) => steps.some(({ policy }) => policy === "maintenance")),
  );
  const answer = (reply: StoreReply<SwitchState>): Done | Refusal => {
    if (reply.state !== "ok") return refuseUnavailable(reply);
    const { on, since = null } = reply.value;
    return { body: { on, since, routes: covered.length, ofRoutes: config.routes.length } };
  };
  return [
    {
      name: "getMaintenance",
      method: "GET",
      path: "maintenance",
      summary: "How the maintenance switch stands",
      status: 200,
      answer: STATE,
      refuses: ["store-unavailable"],
      run: async () => answer(await readSwitch(stores.blobs, now())),
    },
    {
      name: "setMaintenance",
      method: "PUT",
      path: "maintenance",
      summary: "Turns the maintenance switch, for every instance within 5 s",
      body: WANTED,
      status: 200,
      answer: STATE,
      refuses: ["store-unavailable"],
      async run({ body, actor }: Call): Promise<Done | Refusal> {
        const { on } = body as { readonly on: boolean };
        const written = await writeSwitch(stores.blobs, on, now());
        if (written.state !== "ok") return refuseUnavailable(written);
        await audit(context, { action: `maintenance.${on ? "on" : "off"}`, target: "maintenance", actor });
        return answer(await readSwitch(stores.blobs, now()));
      },
    },
  ];
}
