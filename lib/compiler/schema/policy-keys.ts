/** The keys of a route that policies read, as POLICY_SCHEMAS has them: in the order of their steps. */
import type { z } from "zod";
import type { PolicySchema } from "../../config/policy-schema.ts";
import { switchable } from "../../config/schema-fields.ts";
import { POLICY_SCHEMAS } from "../../policies/schemas.ts";

type Schemas = typeof POLICY_SCHEMAS;
type Switchable<Setting extends z.ZodType> = ReturnType<typeof switchable<Setting>>;

/** The policies with one key, without or with those that answer in place of a backend. */
type OneKey<Destination extends boolean> = {
  [Name in keyof Schemas as Schemas[Name] extends { readonly setting: unknown }
    ? Schemas[Name] extends { readonly isDestination: true }
      ? Destination extends true
        ? Name
        : never
      : Destination extends true
        ? never
        : Name
    : never]: Schemas[Name] extends { readonly setting: infer Setting extends z.ZodType }
    ? Schemas[Name] extends { readonly expects: string }
      ? Switchable<Setting>
      : z.ZodOptional<Setting>
    : never;
};

type Intersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void ? All : never;
type SeveralKeys = Intersection<Extract<Schemas[keyof Schemas], { readonly settings: unknown }>["settings"]>;
type SwitchableKeys<Settings> = {
  [Key in keyof Settings]: Settings[Key] extends z.ZodType ? Switchable<Settings[Key]> : never;
};

type PolicyKeys = OneKey<false> & SwitchableKeys<SeveralKeys>;
type ByMethodName = {
  [Name in keyof Schemas]: Schemas[Name] extends { readonly isByMethod: true; readonly setting: unknown } ? Name : never;
}[keyof Schemas];

const NAMED: readonly (readonly [string, PolicySchema])[] = Object.entries(POLICY_SCHEMAS);

function keysOf(isMeant: (schema: PolicySchema) => boolean): Readonly<Record<string, z.ZodType>> {
  const entries = NAMED.filter(([, schema]) => isMeant(schema)).flatMap(([name, schema]): [string, z.ZodType][] => {
    if (!("setting" in schema))
      return Object.entries(schema.settings).map(([key, setting]) => [key, switchable(schema.expects[key]!, setting)]);
    const { setting, expects } = schema;
    return [[name, expects === undefined ? setting.optional() : switchable(expects, setting)]];
  });
  return Object.fromEntries(entries);
}

/** `defaults` may hold them, too. */
export const policyKeys = keysOf(({ isDestination }) => !isDestination) as PolicyKeys;
/** For routes alone: they say what answers. */
export const destinationKeys = keysOf(({ isDestination }) => isDestination === true) as OneKey<true>;
/** `byMethod` may hold them, too. */
export const byMethodKeys = keysOf(({ isByMethod }) => isByMethod === true) as Pick<PolicyKeys, ByMethodName | keyof SeveralKeys>;
