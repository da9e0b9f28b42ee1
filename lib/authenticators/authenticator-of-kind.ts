/** A compiled authenticator of one kind, with the options that the table of schemas gives to that kind. */
import type { CompiledAuthenticator } from "../contract/compiled/config.ts";
import type { AUTHENTICATOR_SCHEMAS } from "./schemas.ts";

type Schemas = typeof AUTHENTICATOR_SCHEMAS;
export type AuthenticatorKind = keyof Schemas;

export interface AuthenticatorOfKind<Kind extends AuthenticatorKind> extends CompiledAuthenticator {
  readonly kind: Kind;
  readonly options: NonNullable<ReturnType<Schemas[Kind]["compile"]>>;
}

export function isOfKind<Kind extends AuthenticatorKind>(
  kind: Kind,
  authenticator: CompiledAuthenticator,
): authenticator is AuthenticatorOfKind<Kind> {
  return authenticator.kind === kind;
}
