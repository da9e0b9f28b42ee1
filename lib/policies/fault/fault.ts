/** `fault`: makes requests wait or fail, for drills. */
import { setTimeout as wait } from "node:timers/promises";
import type { Decision, PolicyDefinition } from "../../contract/policy.ts";
import type { LocalResponse } from "../../contract/problem.ts";
import { HeaderList } from "../../http/header-list.ts";
import type { FaultOptions } from "./options.ts";

export const fault: PolicyDefinition<FaultOptions> = {
  name: "fault",
  phase: "answer",
  refuses: [],
  cacheable: false,
  create({ delayMs, abort, share }, { random }, _route, { enforce }) {
    const outcome = (): LocalResponse | undefined =>
      abort === undefined ? undefined : { status: abort, headers: new HeaderList(["cache-control", "no-store"]), body: null };
    return {
      decide(): Decision | Promise<Decision> {
        if (share < 1 && Buffer.from(random(4)).readUInt32BE() / 2 ** 32 >= share) return undefined;
        return delayMs === undefined || !enforce ? outcome() : wait(delayMs).then(outcome);
      },
    };
  },
};
