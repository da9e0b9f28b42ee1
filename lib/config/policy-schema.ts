/** The contract between a policy's options.ts and the compiler: the policy's keys of a route, and how they become its options. */
import type { z } from "zod";
import type { Timeouts } from "../contract/compiled/config.ts";
import type { Phase } from "../contract/phases.ts";
import type { RedisOnVercel } from "./env.ts";
import type { Fields } from "./fields.ts";
import type { ConfigPath, Report } from "./issue.ts";
import { asList } from "./schema-fields.ts";

export interface Setting<Value = unknown> {
  readonly value: Value;
  readonly place: ConfigPath;
  /** True for a value from `defaults`. */
  readonly isDefault: boolean;
}

/** The route, or the method of a route, that a policy's setting is compiled for. */
export interface RouteContext {
  /** Any setting of the route. */
  setting(key: string): Setting;
  /** True for `defaults` themselves: they are compiled once for their faults, and belong to no route. */
  readonly isDefaults: boolean;
  /** True where `mode: "shadow"` holds for the whole route. */
  readonly isShadow: boolean;
  /** A method with settings of its own; undefined for all others. */
  readonly method: string | undefined;
  /** The name of the backend; undefined where the route answers itself, and in `defaults`. */
  readonly backend: string | undefined;
  /** The standard in `defaults`; undefined where the route answers itself. */
  readonly timeouts: Timeouts | undefined;
  /** Undefined on other hosts than Vercel. */
  readonly redis: RedisOnVercel | undefined;
}

/** The config that all routes belong to. */
export interface ConfigContext {
  readonly tiers: Readonly<Record<string, unknown>> | undefined;
  readonly redis: RedisOnVercel | undefined;
  readonly report: Report;
}

interface Traits {
  /** Its keys mean nothing on a route that answers itself. */
  readonly needsBackend?: true;
  /** It answers in place of a backend: its key belongs to routes alone, and excludes those of other answers. */
  readonly isDestination?: true;
  /** It keeps callers out: a route with other options of it is a stricter or laxer one. */
  readonly restricts?: true;
  /** It treats every caller alike, so that a cache in front of the gateway may answer in its place. */
  readonly isPublic?: true;
  /** Shadow mode does not switch it off: it refuses nothing, and no other step would answer. */
  readonly ignoresShadow?: true;
  /** `byMethod` may replace its keys for one method. */
  readonly isByMethod?: true;
  /** Methods that get steps of their own for it, so that the other methods go without. `methods` are those of the route. */
  ownMethods?(setting: Setting, methods: readonly string[] | undefined, report: Report): readonly string[];
  /** Its options for answers that belong to no route; a policy without it has no part in them. */
  unrouted?(options: unknown): unknown;
}

/** A policy with one key, which has the policy's name. */
export interface KeySchema extends Traits {
  readonly setting: z.ZodType;
  /** The forms of the setting beside `false`; absent where `false` can't switch it off. */
  readonly expects?: string;
  /** Undefined where no step comes of it, or where its fault has been reported. */
  compile(setting: unknown, place: ConfigPath, fields: Fields, route: RouteContext): unknown;
}

/** A policy that decides by several keys at once. */
export interface KeysSchema extends Traits {
  readonly description: string;
  readonly settings: Readonly<Record<string, z.ZodType>>;
  /** The forms of each setting beside `false`. */
  readonly expects: Readonly<Record<string, string>>;
  /** Called once for each config: what it returns may compare what several routes say. */
  forConfig(config: ConfigContext): StepCompiler;
}

export interface StepCompiler {
  /** `given` holds the settings that the route has, by their keys. */
  steps(given: Readonly<Record<string, Setting>>, fields: Fields, route: RouteContext): readonly StepOptions[];
}

export interface StepOptions<Options = unknown> {
  readonly options: Options;
  /** The phase of this step, where it is not the policy's own. */
  readonly phase?: Phase;
}

export type PolicySchema = KeySchema | KeysSchema;

/** Whether the route's `auth` asks nobody who calls. */
export function isOpen(route: RouteContext): boolean {
  const names = asList(route.setting("auth").value);
  return names.length > 0 && names.every((name) => name === "none");
}
