/**
 * What a user's gateway.config.ts imports. Everything here is identity or text at run time; the types make a wrong name fail
 * `tsc`. No schema is loaded: the config of a bundle has been compiled before.
 */
import type { BackendInput, DefaultsInput, GatewayInput, RouteInput } from "../compiler/schema/gateway.ts";
import type { CustomPolicy } from "../contract/policy.ts";

export { type Ask, ask } from "../contract/ask.ts";
export type { Deps } from "../contract/deps.ts";
export type { Exchange, Outgoing } from "../contract/exchange.ts";
export type { Json } from "../contract/json.ts";
export { Local } from "../contract/local.ts";
export type {
  CustomPhase,
  /** An alias for one version. */
  CustomPhase as CustomRow,
} from "../contract/phases.ts";
export type { BodyPart, BodyTap, CustomPolicy, Decision, Policy } from "../contract/policy.ts";
export type {
  CustomProblem,
  LocalResponse,
  /** An alias for one version. */
  LocalResponse as Answer,
  Refusal,
} from "../contract/problem.ts";
export { refuse } from "../contract/problem.ts";
export type { Outcome } from "../contract/record.ts";
export type { Consumer } from "../contract/request.ts";
export type { GatewayInput };

/** A reference to a variable. It stands wherever a string, boolean, number, duration or size does. */
export type EnvReference = `\${env.${string}}`;

/** Read at start, never at build, and never written into the build. Also within a template literal: `Bearer ${env("TOKEN")}`. */
export function env(name: string, fallback?: string | number | boolean): EnvReference {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new TypeError(`env(${JSON.stringify(name)}): not the name of a variable`);
  if (fallback === undefined) return `\${env.${name}}`;
  if (String(fallback).includes("}")) throw new TypeError(`env("${name}", …): a fallback can't hold "}"`);
  return `\${env.${name}:-${fallback}}`;
}

/** A policy for a route's `use`. */
export function definePolicy<const Policy extends CustomPolicy>(policy: Policy): Policy {
  return policy;
}

/** The names that a config gives. A key of a route that names one of them is checked against it in `CheckedRoute`. */
interface Names {
  readonly backend: string;
  readonly authenticator: string;
  readonly tier: string;
}

type NamesOf<Config> = {
  readonly backend: KeysOf<Config, "backends">;
  readonly authenticator: KeysOf<Config, "auth">;
  readonly tier: KeysOf<Config, "tiers">;
};
type KeysOf<Config, Key extends string> = Config extends { readonly [K in Key]: infer Named }
  ? Extract<keyof Named, string>
  : never;

/** What no value fits: the compiler prints the sentence, and what would be right. */
interface Mistake<Sentence extends string, Right extends string = never> {
  readonly mistake: Sentence;
  readonly right: Right;
}

/** `Name` itself where it is known or was not written literally; a mistake otherwise. */
type Known<Name, Kind extends string, All extends string> = Name extends string
  ? string extends Name
    ? Name
    : Name extends All
      ? Name
      : Mistake<`there is no ${Kind} called "${Name}"`, All>
  : Name;

type KnownAuth<Auth, N extends Names, Also extends string = "none"> = Auth extends readonly unknown[]
  ? { readonly [Index in keyof Auth]: Known<Auth[Index], "authenticator", N["authenticator"]> }
  : Auth extends object
    ? { readonly [Key in keyof Auth]: Key extends "allOf" | "optional" ? KnownAuth<Auth[Key], N, never> : never }
    : Known<Auth, "authenticator", N["authenticator"] | Also>;

/** The parameters of a path: `"/users/:id/*"` has `"id" | "rest"`. */
export type PathParams<Path extends string> = Path extends `${infer Segment}/${infer Rest}`
  ? SegmentParam<Segment> | PathParams<Rest>
  : SegmentParam<Path>;
type SegmentParam<Segment extends string> = Segment extends "*"
  ? "rest"
  : Segment extends `:${infer Name}*`
    ? Name
    : Segment extends `:${infer Name}`
      ? Name
      : never;

/** A text that names parameters of the path: itself, or a mistake where the path does not have one. */
type KnownParams<Text, Path> = Text extends string
  ? string extends Text
    ? Text
    : Path extends string
      ? string extends Path
        ? Text
        : WrongParam<Text, PathParams<Path>> extends infer Wrong extends string
          ? [Wrong] extends [never]
            ? Text
            : Mistake<`the path ${Path} has no parameter "${Wrong}"`, PathParams<Path>>
          : Text
      : Text
  : Text;
type WrongParam<Text extends string, Params extends string> = Text extends `${string}\${params.${infer Name}}${infer Rest}`
  ? Exclude<Name, Params> | WrongParam<Rest, Params>
  : never;

type CheckedRoutes<Routes, N extends Names> = { readonly [Index in keyof Routes]: CheckedRoute<Routes[Index], N> };
type CheckedRoute<Route, N extends Names> = {
  readonly [Key in keyof Route]: Key extends "backend"
    ? Known<Route[Key], "backend", N["backend"]>
    : Key extends "auth"
      ? KnownAuth<Route[Key], N>
      : Key extends "rewrite"
        ? KnownParams<Route[Key], PathOf<Route>>
        : Key extends "redirect"
          ? CheckedRedirect<Route[Key], PathOf<Route>>
          : Key extends "mirror" | "fallback"
            ? CheckedOther<Route[Key], N, RouteInput[Key]>
            : CheckedKey<Key, Route[Key], RouteInput>;
};
type CheckedRedirect<Redirect, Path> = Redirect extends string
  ? KnownParams<Redirect, Path>
  : {
      readonly [Key in keyof Redirect]: Key extends "to"
        ? KnownParams<Redirect[Key], Path>
        : CheckedKey<Key, Redirect[Key], RouteInput["redirect"]>;
    };
/** Another backend by its name, or an object that may name one. */
type CheckedOther<Other, N extends Names, Shape> = Other extends object
  ? {
      readonly [Key in keyof Other]: Key extends "backend"
        ? Known<Other[Key], "backend", N["backend"]>
        : CheckedKey<Key, Other[Key], Extract<Shape, object>>;
    }
  : Known<Other, "backend", N["backend"]>;
type PathOf<Route> = Route extends { readonly path: infer Path } ? Path : never;

type CheckedDefaults<Defaults, N extends Names> = {
  readonly [Key in keyof Defaults]: Key extends "auth"
    ? KnownAuth<Defaults[Key], N>
    : Key extends "mirror" | "fallback"
      ? CheckedOther<Defaults[Key], N, DefaultsInput[Key]>
      : CheckedKey<Key, Defaults[Key], DefaultsInput>;
};

type CheckedBackends<Backends, N extends Names> = { readonly [Name in keyof Backends]: CheckedBackend<Backends[Name], N> };
type CheckedBackend<Backend, N extends Names> = Backend extends object
  ? {
      readonly [Key in keyof Backend]: Key extends "fallback"
        ? CheckedOther<Backend[Key], N, RouteInput[Key]>
        : CheckedKey<Key, Backend[Key], BackendInput>;
    }
  : Backend;

type CheckedConfig<Config> = {
  readonly [Key in keyof Config]: Key extends "routes"
    ? CheckedRoutes<Config[Key], NamesOf<Config>>
    : Key extends "defaults"
      ? CheckedDefaults<Config[Key], NamesOf<Config>>
      : Key extends "backends"
        ? CheckedBackends<Config[Key], NamesOf<Config>>
        : CheckedKey<Key, Config[Key], GatewayInput>;
};

/** An inferred type has every key that was written: one that the schema does not have is a mistake, at any depth. */
type CheckedKey<Key, Value, Shape> = Key extends "json" | "metadata"
  ? Value
  : Key extends KeysIn<Shape>
    ? WithoutExtra<Value, ValueAt<Shape, Key>>
    : Mistake<`there is no key ${Key & string} here in this version`>;
type WithoutExtra<Given, Shape> = Given extends string | number | boolean | null | undefined | CustomPolicy
  ? Given
  : Given extends readonly unknown[]
    ? { readonly [Index in keyof Given]: WithoutExtra<Given[Index], ItemsOf<Shape>> }
    : { readonly [Key in keyof Given]: CheckedKey<Key, Given[Key], Shape> };
type KeysIn<Shape> = Shape extends readonly unknown[] ? never : Shape extends object ? keyof Shape : never;
type ValueAt<Shape, Key> = Shape extends object ? (Key extends keyof Shape ? Shape[Key] : never) : never;
type ItemsOf<Shape> = Shape extends readonly (infer Item)[] ? Item : never;

/** Lists may be written `as const` or come out of a `const` type parameter. */
type ReadonlyDeep<T> = T extends (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : T extends (...args: never[]) => unknown
    ? T
    : T extends CustomPolicy
      ? T
      : T extends object
        ? { readonly [Key in keyof T]: ReadonlyDeep<T[Key]> }
        : T;

/** A config whose names have been checked: of backends, authenticators, tiers and path parameters. */
export function defineGateway<const Config extends ReadonlyDeep<GatewayInput>>(config: Config & CheckedConfig<Config>): Config {
  return config;
}
