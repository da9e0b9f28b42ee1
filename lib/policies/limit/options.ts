/** `limit` and `quota` as the compiler sees them: two keys that decide together. */

import { limitSettings } from "../../config/limit-setting.ts";
import type { KeysSchema } from "../../config/policy-schema.ts";
import { LimitCompiler } from "./compile-limits.ts";

export const limitSchema = {
  description: "How much anybody may ask for: `limit`, `quota`, `tiers`",
  settings: limitSettings,
  expects: {
    limit: 'a rate such as "100/m", "tier", { requests, per, … }, a list of them',
    quota: 'a quota such as "10000/month", { requests, per, anchor }',
  },
  restricts: true,
  isByMethod: true,
  forConfig: (config) => new LimitCompiler(config),
} satisfies KeysSchema;
