/** Every command of `frontdesk`, in the order of the help. */
import { basic } from "./basic.ts";
import { check } from "./check.ts";
import type { Command } from "./command.ts";
import { doctor } from "./doctor.ts";
import { explain } from "./explain.ts";
import { init } from "./init.ts";
import { keys } from "./keys.ts";
import { logs } from "./logs.ts";
import { maintenance } from "./maintenance.ts";
import { purge } from "./purge.ts";
import { routes } from "./routes.ts";
import { tokens } from "./tokens.ts";
import { usage } from "./usage.ts";

export const COMMANDS: readonly Command[] = [
  check,
  routes,
  explain,
  doctor,
  logs,
  keys,
  tokens,
  basic,
  usage,
  maintenance,
  purge,
  init,
];
