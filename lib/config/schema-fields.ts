/** Building blocks of the schema: strict objects that know their place, alternatives that say what they expect, and common fields. */
import { z } from "zod";

/** A kind of object in the config, for messages and docs: which keys it has and which are designed but not built. */
interface PlaceOfKeys {
  readonly shape: z.ZodRawShape;
  readonly notBuilt: readonly string[];
  /** Keys of a route that may be missed here: they have no default. */
  readonly routeOnly: readonly string[];
}

export const PLACES = new Map<string, PlaceOfKeys>();

/** An object in which an unknown key is an error. `name` is unique; the error of zod carries it to schema-issues.ts. */
export function strict<Shape extends z.ZodRawShape>(
  name: string,
  shape: Shape,
  notBuilt: readonly string[] = [],
  routeOnly: readonly string[] = [],
) {
  PLACES.set(name, { shape, notBuilt, routeOnly });
  return z.strictObject(shape, { error: (issue) => (issue.code === "unrecognized_keys" ? name : undefined) });
}

/** Keys of objects that are designed as an alternative to a text or a list and not built yet, by the alternative's `expects`. */
export const FORMS_NOT_BUILT = new Map<string, readonly string[]>();

/** One of several forms; `expects` ends the sentence "expected …". */
export function oneOf<const Options extends readonly [z.ZodType, z.ZodType, ...z.ZodType[]]>(
  expects: string,
  options: Options,
  notBuilt: readonly string[] = [],
) {
  FORMS_NOT_BUILT.set(expects, notBuilt);
  return z.union(options, { error: () => expects });
}

/** A single value may stand for a list of one. */
export function oneOrMore<Item extends z.ZodType>(expects: string, item: Item) {
  return oneOf(expects, [item, z.array(item).min(1)]);
}

export function asList<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** The setting of a policy, or `false` against a default. The forms stand side by side, so that a fault in one is told as its own. */
export function switchable<Setting extends z.ZodType>(expects: string, setting: Setting) {
  const forms = setting instanceof z.ZodUnion ? setting.options : [setting];
  return oneOf(`${expects} or false`, [...forms, z.literal(false)] as unknown as [Setting, z.ZodLiteral<false>])
    .optional()
    .describe(`${setting.description}. \`false\` switches a default off`);
}

/** What `env("NAME")` returns: stands wherever a string, boolean, number, duration or size does. */
export const reference = z
  .templateLiteral(["${env.", z.string(), "}"])
  .describe("A reference to a variable: `${env.NAME}` or `${env.NAME:-fallback}`");

export const duration = z.string().meta({ examples: ["250ms", "10s", "5m"] });
export const size = z.string().meta({ examples: ["64kb", "4mb"] });
export const flag = oneOf("true or false, or a reference", [z.boolean(), reference]);
export const shadow = z.literal("shadow");
/** Of one policy, where `mode` of a route is of all of them. */
export const ownMode = shadow.optional().describe('"shadow": evaluated and recorded, and refuses nothing');
export const verdict = z.enum(["allow", "deny"]);
