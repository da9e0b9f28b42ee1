/** Whether one of some keys signed a token (RFC 7515 section 5.2). */
import { compactVerify, errors } from "jose";
import type { AuthFailure } from "../../contract/authenticator.ts";
import { invalid } from "./token.ts";

/** Undefined where one did. `algorithms` are the config's: the token's own word on it never counts alone. */
export async function signatureFault(
  text: string,
  keys: readonly CryptoKey[],
  algorithms: readonly string[],
): Promise<AuthFailure | undefined> {
  for (const key of keys) {
    try {
      await compactVerify(text, key, { algorithms: [...algorithms] });
      return undefined;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) return invalid(error.message);
    }
  }
  return invalid("the signature is not that of a key of the issuer");
}
