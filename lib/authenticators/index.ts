/** Every kind of authenticator, one line each. */
import type { Authenticator, AuthenticatorDefinition, AuthenticatorParts } from "../contract/authenticator.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import { apiKey } from "./api-key/api-key.ts";
import { basic } from "./basic/basic.ts";
import { forward } from "./forward/forward.ts";
import { jwt } from "./jwt/jwt.ts";

const KINDS: ReadonlyMap<string, AuthenticatorDefinition> = new Map(
  [jwt, apiKey, basic, forward].map((definition) => [definition.kind, definition as AuthenticatorDefinition]),
);

/** By name. Each `create` gets what its kind's options.ts compiles, which the compiler of the config guarantees. */
export function createAuthenticators(
  { authenticators }: Pick<CompiledConfig, "authenticators">,
  parts: AuthenticatorParts,
): ReadonlyMap<string, Authenticator> {
  return new Map(authenticators.map(({ name, kind, options }) => [name, KINDS.get(kind)!.create(name, options, parts)]));
}
