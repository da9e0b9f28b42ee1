/** `basic`: a name and a password in `Authorization` (RFC 7617). */
import { hash as digestWith, timingSafeEqual } from "node:crypto";
import { type AuthenticatorDefinition, type AuthFailure, consumerId } from "../../contract/authenticator.ts";
import type { Deps } from "../../contract/deps.ts";
import type { Consumer } from "../../contract/request.ts";
import { hashPassword, type PasswordHash, parsePasswordHash } from "../../crypto/password-hash.ts";
import type { CredentialSource } from "../../http/credential.ts";
import type { BasicOptions, BasicUser } from "./options.ts";
import { passwordChecks } from "./password-check-queue.ts";

interface Known {
  readonly consumer: Consumer;
  /** Of name and password. Where only a hash is known: once the right password has come, so that it is fast from then on. */
  digest: Buffer | undefined;
  readonly hash: PasswordHash | undefined;
}

type Result = Consumer | AuthFailure;

const SOURCE: CredentialSource = { in: "authorization", scheme: "basic" };
const WRONG: AuthFailure = { kind: "invalid", reason: "no such user, or another password" };
const MALFORMED: AuthFailure = { kind: "invalid", reason: "not a name and a password in base64" };
const BUSY: AuthFailure = { kind: "overloaded", reason: "more passwords wait to be checked than are taken at once" };
/** RFC 9110 section 11.2. It has no comma, so that two fields which a platform has joined into one are no credential. */
const TOKEN68 = /^[A-Za-z0-9+/]+={0,2}$/;
/** More is a mistake or an attempt to keep the gateway busy. */
const MAX_LENGTH = 2048;

export const basic: AuthenticatorDefinition<BasicOptions> = {
  kind: "basic",
  create(name, { realm, users }, { deps }) {
    const known = users.map((user) => knownUser(name, user));
    const hashed = new Map(
      users.flatMap((user, index) => (known[index]!.hash ? [[normal(user.name), known[index]!] as const] : [])),
    );
    const decoy = decoyFor(known, deps.random);
    /** The same pair at the same time, as of a page that loads its parts, is checked once. */
    const checking = new Map<string, Promise<Result>>();

    /** Who is not there costs what somebody would who is: the time taken tells no name. */
    async function check(pair: string, digest: Buffer, hash: PasswordHash, user: Known | undefined): Promise<Result> {
      const made = await hashPassword(pair.slice(pair.indexOf(":") + 1), hash);
      if (!timingSafeEqual(made, hash.hash) || !user) return WRONG;
      user.digest = digest;
      return user.consumer;
    }

    function checkOnce(pair: string, digest: Buffer, hash: PasswordHash, caller: string): Promise<Result> | AuthFailure {
      const key = digest.toString("base64");
      const running = checking.get(key);
      if (running) return running;
      const user = hashed.get(pair.slice(0, pair.indexOf(":")));
      const checked = passwordChecks.run(caller, () => check(pair, digest, user?.hash ?? hash, user));
      if (!checked) return BUSY;
      const result = checked.finally(() => checking.delete(key));
      checking.set(key, result);
      return result;
    }

    return {
      name,
      expects: "a name and a password in `Authorization: Basic`",
      sources: [SOURCE],
      mayForward: true,
      challenge: () => `Basic realm="${realm}", charset="UTF-8"`,
      verify(value, { request }) {
        if (value.length > MAX_LENGTH || !TOKEN68.test(value)) return MALFORMED;
        const pair = normal(Buffer.from(value, "base64").toString("utf8"));
        const digest = digestOf(pair);
        // All are compared, so that the time taken does not tell which names exist.
        let found: Consumer | undefined;
        for (const { digest: other, consumer } of known) if (other && timingSafeEqual(digest, other)) found = consumer;
        if (found) return found;
        return decoy && pair.includes(":") ? checkOnce(pair, digest, decoy, request.client.ip ?? "unknown") : WRONG;
      },
    };
  },
};

function knownUser(authenticator: string, { name, password, passwordHash, scopes, tier }: BasicUser): Known {
  return {
    digest: password === null ? undefined : digestOf(normal(`${name}:${password}`)),
    hash: passwordHash === null ? undefined : parsePasswordHash(passwordHash),
    consumer: {
      id: consumerId(authenticator, name),
      authenticator,
      scopes,
      claims: { sub: name },
      ...(tier === null ? {} : { tier }),
    },
  };
}

/** What nobody's password is checked by: as slow as the slowest that there is. Undefined where no password is hashed. */
function decoyFor(known: readonly Known[], random: Deps["random"]): PasswordHash | undefined {
  const work = ({ cost: { ln, r, p } }: PasswordHash) => 2 ** ln * r * p;
  const [slowest] = known.flatMap(({ hash }) => hash ?? []).sort((a, b) => work(b) - work(a));
  return slowest && { ...slowest, salt: random(slowest.salt.length), hash: random(slowest.hash.length) };
}

/** What looks the same is the same: keyboards and systems compose `é` differently (RFC 7617 section 2.1, RFC 8265 section 4.2). */
function normal(text: string): string {
  return text.normalize("NFC");
}

/** Digests have one length, so that comparing them tells nothing of the password. */
function digestOf(pair: string): Buffer {
  return digestWith("sha256", pair, "buffer");
}
