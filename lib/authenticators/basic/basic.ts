/** `basic`: a name and a password in `Authorization` (RFC 7617). */
import { createHash, timingSafeEqual } from "node:crypto";
import { type AuthenticatorDefinition, consumerId, type Rejection } from "../../authenticator.ts";
import type { Consumer } from "../../exchange.ts";
import type { CredentialPlace } from "../../http/credential.ts";
import type { BasicOptions } from "./options.ts";

const PLACE: CredentialPlace = { in: "authorization", scheme: "basic" };
const WRONG: Rejection = { rejected: "invalid", reason: "no such user, or another password" };
const MALFORMED: Rejection = { rejected: "invalid", reason: "not a name and a password in base64" };
/** RFC 9110 section 11.2. It has no comma, so that two fields which a platform has joined into one are no credential. */
const TOKEN68 = /^[A-Za-z0-9+/]+={0,2}$/;
/** More is a mistake or an attempt to keep the gateway busy. */
const MAX_LENGTH = 2048;

export const basic: AuthenticatorDefinition<BasicOptions> = {
  kind: "basic",
  create(name, { realm, users }) {
    const known = users.map((user) => ({
      digest: digestOf(`${user.name}:${user.password}`),
      consumer: {
        id: consumerId(name, user.name),
        authenticator: name,
        scopes: user.scopes,
        claims: { sub: user.name },
        ...(user.tier === null ? {} : { tier: user.tier }),
      } satisfies Consumer,
    }));
    return {
      name,
      expects: "a name and a password in `Authorization: Basic`",
      places: [PLACE],
      mayForward: true,
      challenge: () => `Basic realm="${realm}", charset="UTF-8"`,
      verify(value) {
        if (value.length > MAX_LENGTH || !TOKEN68.test(value)) return MALFORMED;
        const digest = digestOf(Buffer.from(value, "base64").toString("utf8"));
        // All are compared, so that the time taken does not tell which names exist.
        let found: Consumer | undefined;
        for (const { digest: other, consumer } of known) if (timingSafeEqual(digest, other)) found = consumer;
        return found ?? WRONG;
      },
    };
  },
};

/**
 * Digests have one length, so that comparing them tells nothing of the password. What looks the same is the same: keyboards and
 * systems compose `é` differently (RFC 7617 section 2.1, RFC 8265 section 4.2).
 */
function digestOf(pair: string): Buffer {
  return createHash("sha256").update(pair.normalize("NFC")).digest();
}
