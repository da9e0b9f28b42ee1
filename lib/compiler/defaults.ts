/** `defaults` with what the top level is short for, each setting with the place where it was written. */
import type { z } from "zod";
import type { ConfigPath, Report } from "../config/issue.ts";
import { type Checked, checkSettings } from "../config/schema-issues.ts";
import { defaultsSchema } from "./schema/route.ts";

export type DefaultSettings = z.output<typeof defaultsSchema>;

export interface Defaults extends Checked<DefaultSettings> {
  placeOf(key: string): ConfigPath;
}

/** `shorthands` are settings of the top level that stand for defaults of the same name. */
export function readDefaults(input: unknown, shorthands: Partial<DefaultSettings>, report: Report): Defaults {
  const checked =
    input === undefined
      ? { settings: {}, broken: new Set<string>() }
      : checkSettings(defaultsSchema, input, ["defaults"], report);
  // Defaults that are no object at all: what they would have said is not missed on every route.
  const { settings, broken } = checked ?? { settings: {}, broken: new Set(["auth"]) };
  const short = Object.fromEntries(Object.entries(shorthands).filter(([, value]) => value !== undefined));
  for (const key of Object.keys(short)) {
    if (key in settings)
      report.error("said-twice", ["defaults", key], `\`${key}\` is said at the top level too.`, "Leave one of them out.");
  }
  return {
    settings: { ...settings, ...short },
    broken,
    placeOf: (key) => (key in short ? [key] : ["defaults", key]),
  };
}

/** For the routes of one backend: what it says itself is nearer to them. Its `timeout` and `retry` are laid over these already. */
export function defaultsFor(backend: string, fallback: DefaultSettings["fallback"], defaults: Defaults): Defaults {
  const { timeout, retry, ...settings } = defaults.settings;
  if (fallback === undefined) return { ...defaults, settings };
  return {
    ...defaults,
    settings: { ...settings, fallback },
    placeOf: (key) => (key === "fallback" ? ["backends", backend, key] : defaults.placeOf(key)),
  };
}
