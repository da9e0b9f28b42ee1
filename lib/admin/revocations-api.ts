/** Tokens in the admin API: taken back one by one or all of a subject, listed, and given back. */
import { randomText } from "../authenticators/api-key/key-format.ts";
import { isOfKind } from "../authenticators/authenticator-of-kind.ts";
import { digestOf, type Revocation, type RevokedBy, recordOf, revocationIn } from "../authenticators/jwt/revocation.ts";
import { revokedTokensOf } from "../authenticators/jwt/revoked-tokens.ts";
import type { Json } from "../contract/json.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import { type ApiContext, type Call, type Done, type Operation, refuseFaults, refuseUnavailable } from "./api.ts";
import { audit, CURSOR, LIMIT, NEXT } from "./audit.ts";
import { heldWarning, WARNING_SCHEMA } from "./held-revocations.ts";
import type { Fault, JsonSchema } from "./json-schema.ts";

interface Wanted {
  readonly authenticator?: string;
  readonly jti?: string;
  readonly sub?: string;
  readonly expiresAt?: string;
  readonly note?: string;
}

const AUTHENTICATOR: JsonSchema = { type: "string", description: "Whose tokens: one of kind jwt with `revocation`" };
const JTI: JsonSchema = { type: "string", description: "The token's `jti`: that one", minLength: 1, maxLength: 500 };
const SUB: JsonSchema = {
  type: "string",
  description: "Their `sub`: all of this subject that were issued until now",
  minLength: 1,
  maxLength: 500,
};
const NOTE: JsonSchema = { type: "string", description: "For people: why", minLength: 1, maxLength: 200 };

const REVOKE: JsonSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    authenticator: { ...AUTHENTICATOR, description: `${AUTHENTICATOR.description}; needed where the config has several` },
    jti: JTI,
    sub: SUB,
    expiresAt: {
      type: "string",
      format: "date-time",
      description: "With `jti`: when the token ends (`exp`); until then it stays revoked. `maxLife` from now by default",
    },
    note: NOTE,
  },
};

const REVOCATION: JsonSchema = {
  type: "object",
  required: ["id", "authenticator", "revokedAt", "until"],
  properties: {
    id: { type: "string" },
    authenticator: AUTHENTICATOR,
    jti: JTI,
    sub: SUB,
    revokedAt: {
      type: "string",
      format: "date-time",
      description: "Of a subject: tokens that were issued until then are refused",
    },
    until: { type: "string", format: "date-time", description: "By then every token that it speaks of has ended" },
    note: NOTE,
    warning: WARNING_SCHEMA,
  },
};

export function revocationOperations(context: ApiContext): readonly Operation[] {
  const { stores, config, now, random } = context;
  const tokens = revokedTokensOf(stores);
  const revocable = config.authenticators.flatMap((authenticator) => {
    if (!isOfKind("jwt", authenticator)) return [];
    const { name, options } = authenticator;
    const { revocation, toleranceSeconds } = options;
    // The command resolves no references: then the largest that it can be.
    const toleranceMs = typeof toleranceSeconds === "number" ? toleranceSeconds * 1000 : 86_400_000;
    return revocation ? [{ name, ...revocation, toleranceMs }] : [];
  });

  function authenticatorFor(wanted: string | undefined): (typeof revocable)[number] | Fault {
    const [one, another] = revocable.filter(({ name }) => wanted === undefined || name === wanted);
    if (one && !another) return one;
    const known = revocable.map(({ name }) => name).join(", ");
    const detail =
      revocable.length === 0
        ? "no authenticator of this config is of kind jwt with `revocation`"
        : one
          ? `there are several: say one of ${known}`
          : `there is no such authenticator with \`revocation\`; there are ${known}`;
    return { pointer: "/authenticator", detail };
  }

  function faultsOf({ jti, sub, expiresAt }: Wanted): Fault[] {
    const faults: Fault[] = [];
    if ((jti === undefined) === (sub === undefined)) faults.push({ pointer: "", detail: "expected one of jti and sub" });
    // A token that was issued a moment ago ends later than any that the operator has seen.
    if (sub !== undefined && expiresAt !== undefined)
      faults.push({ pointer: "/expiresAt", detail: "it is for `jti`: of a subject, every token must have ended" });
    if (expiresAt !== undefined && Date.parse(expiresAt) <= now())
      faults.push({ pointer: "/expiresAt", detail: "this is in the past" });
    return faults;
  }

  async function revoke({ body, actor }: Call): Promise<Done | Refusal> {
    const wanted = body as Wanted;
    const of = authenticatorFor(wanted.authenticator);
    const faults = [...faultsOf(wanted), ...("pointer" in of ? [of] : [])];
    if (faults.length > 0 || "pointer" in of) return refuseFaults(faults);
    const [by, value]: [RevokedBy, string] = wanted.jti === undefined ? ["sub", wanted.sub!] : ["jti", wanted.jti];
    const known = await stores.revoked.get(digestOf(of.name, by, value));
    if (known.state !== "ok") return refuseUnavailable(known);
    const revokedMs = now();
    const endMs = wanted.expiresAt === undefined ? revokedMs + of.maxLifeMs : Date.parse(wanted.expiresAt);
    const revocation: Revocation = {
      id: known.value?.id ?? `rev_${randomText(16, random)}`,
      authenticator: of.name,
      by,
      value,
      revokedMs,
      // Twice: a token may say that it was issued later than now, and be taken after its end.
      untilMs: Math.max(endMs + 2 * of.toleranceMs, known.value?.expiresMs ?? 0),
      note: wanted.note,
    };
    const written = await write(revocation);
    if (written) return written;
    await audit(context, { action: "token.revoked", target: revocation.id, actor, details: whose(revocation) });
    const answer = { ...(shown(revocation) as Record<string, Json>), ...heldWarning(stores) };
    return { body: answer, headers: ["location", `/gateway/api/revocations/${revocation.id}`] };
  }

  async function write(revocation: Revocation): Promise<Refusal | undefined> {
    // What has ended makes room.
    await stores.revoked.removeExpired(now());
    const record = recordOf(revocation);
    const reply = await stores.revoked.put(record);
    // Also where no answer came: it may have been written.
    tokens.forget(record.digest);
    return reply.state === "ok" ? undefined : refuseUnavailable(reply);
  }

  async function undo({ params, actor }: Call): Promise<Done | Refusal> {
    const found = await stores.revoked.find(params["id"]!);
    if (found.state !== "ok") return refuseUnavailable(found);
    if (!found.value) return refuse("not-found", { detail: "There is no revocation of this id." });
    const reply = await stores.revoked.remove(found.value.id);
    tokens.forget(found.value.digest);
    if (reply.state !== "ok") return refuseUnavailable(reply);
    const revocation = revocationIn(found.value);
    await audit(context, { action: "token.restored", target: revocation.id, actor, details: whose(revocation) });
    return {};
  }

  async function list({ query: { limit, cursor, authenticator } }: Call): Promise<Done | Refusal> {
    const reply = await stores.revoked.list({
      limit: Number(limit),
      ...(cursor === undefined ? {} : { after: String(cursor) }),
      ...(authenticator === undefined ? {} : { consumer: String(authenticator) }),
    });
    if (reply.state !== "ok") return refuseUnavailable(reply);
    const standing = reply.value.items.map(revocationIn).filter(({ untilMs }) => untilMs > now());
    return { body: { items: standing.map(shown), next: reply.value.next ?? null } };
  }

  return [
    {
      name: "listRevocations",
      method: "GET",
      path: "revocations",
      summary: "Tokens that were taken back, newest first",
      query: { limit: LIMIT, cursor: { ...CURSOR, pattern: "^\\d{15}:[\\w-]{1,60}$" }, authenticator: AUTHENTICATOR },
      status: 200,
      answer: {
        type: "object",
        required: ["items", "next"],
        properties: { items: { type: "array", items: REVOCATION }, next: NEXT },
      },
      refuses: ["store-unavailable"],
      run: list,
    },
    {
      name: "revokeTokens",
      method: "POST",
      path: "revocations",
      summary: "Takes back a token, or all of a subject, in force everywhere within 5 s",
      body: REVOKE,
      status: 201,
      answer: REVOCATION,
      refuses: ["store-unavailable"],
      run: revoke,
    },
    {
      name: "undoRevocation",
      method: "DELETE",
      path: "revocations/{id}",
      summary: "They are taken again",
      status: 204,
      refuses: ["not-found", "store-unavailable"],
      run: undo,
    },
  ];
}

function whose({ authenticator, by, value, note }: Revocation): Readonly<Record<string, Json>> {
  return { authenticator, [by]: value, ...(note === undefined ? {} : { note }) };
}

function shown(revocation: Revocation): Json {
  const { id, revokedMs, untilMs } = revocation;
  return { id, ...whose(revocation), revokedAt: new Date(revokedMs).toISOString(), until: new Date(untilMs).toISOString() };
}
