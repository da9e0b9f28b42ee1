/** API keys in the admin API: made, listed, changed, replaced, disabled, revoked, removed. */
import { KeyFormat, randomText } from "../authenticators/api-key/key-format.ts";
import { keyMemoryOf } from "../authenticators/api-key/key-memory.ts";
import { isUsable, statusOf } from "../authenticators/api-key/key-status.ts";
import { isOfKind } from "../authenticators/authenticator-of-kind.ts";
import { parseDurationMs } from "../config/units.ts";
import type { Json } from "../contract/json.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import type { KeyRecord } from "../contract/stores/keys.ts";
import { canonicalRange } from "../http/ip-range.ts";
import { type ApiContext, type Call, type Done, type Operation, refuseFaults, refuseUnavailable } from "./api.ts";
import { audit } from "./audit.ts";
import { namesIn, unknownName } from "./config-names.ts";
import { heldWarning } from "./held-revocations.ts";
import type { Fault } from "./json-schema.ts";
import { CREATE, KEY, KEY_PAGE, KEY_QUERY, NEW_KEY, REVOKED_KEY, ROTATE, UPDATE } from "./key-schemas.ts";

/** What a body may say of a key; null takes it away. */
interface Settings {
  readonly name?: string;
  readonly consumer?: string;
  readonly owner?: string | null;
  readonly scopes?: readonly string[] | null;
  readonly tier?: string | null;
  readonly metadata?: Readonly<Record<string, Json>> | null;
  readonly ips?: readonly string[] | null;
  readonly routes?: readonly string[] | null;
  readonly expiresAt?: string | null;
  readonly authenticator?: string;
}

interface Rotation {
  readonly overlap?: string;
  readonly quiet?: string;
  readonly expiresAt?: string;
}

const MAX_METADATA_BYTES = 4096;
const MIN_QUIET_MS = 5 * 60_000;
/** Two who change one key at once: the later reads it again. A third time is no coincidence. */
const MAX_ATTEMPTS = 3;

export function keyOperations(context: ApiContext): readonly Operation[] {
  const { stores, config, now, random } = context;
  const { keys } = stores;
  const names = namesIn(config);
  const memory = keyMemoryOf(stores);
  const makers = config.authenticators.filter((each) => isOfKind("apiKey", each)).filter(({ options }) => options.keys === null);

  /** Which kind of key it is to be; where the config has one, nobody needs to say it. */
  function formatFor(name: string | undefined): KeyFormat | Fault {
    const known = makers.map((maker) => maker.name).join(", ");
    const [maker, another] = name === undefined ? makers : makers.filter((one) => one.name === name);
    if (maker && !another) return new KeyFormat(maker.options.prefix);
    const detail =
      makers.length === 0
        ? "no authenticator of this config takes keys from the store (apiKey without digests)"
        : maker
          ? `there are several: say one of ${known}`
          : `there is no such authenticator for keys in the store; there are ${known}`;
    return { pointer: "/authenticator", detail };
  }

  function faultsOf({ ips, routes, metadata, expiresAt, tier, scopes }: Settings): Fault[] {
    const known = new Set(config.routes.flatMap(({ path, id }) => [path, id]));
    const faults: Fault[] = [];
    const named: [pointer: string, fault: string | undefined][] = [
      ["/tier", tier ? unknownName("tier", tier, names.tiers) : undefined],
      ...(scopes ?? []).map(
        (scope, index) => [`/scopes/${index}`, unknownName("scope", scope, names.scopes)] as [string, string],
      ),
    ];
    for (const [pointer, detail] of named) if (detail !== undefined) faults.push({ pointer, detail });
    ips?.forEach((ip, index) => {
      if (canonicalRange(ip) === undefined)
        faults.push({ pointer: `/ips/${index}`, detail: "expected an address or CIDR range" });
    });
    routes?.forEach((route, index) => {
      if (!known.has(route)) faults.push({ pointer: `/routes/${index}`, detail: "no route of the config has this path" });
    });
    if (metadata && Buffer.byteLength(JSON.stringify(metadata)) > MAX_METADATA_BYTES)
      faults.push({ pointer: "/metadata", detail: `expected at most ${MAX_METADATA_BYTES} bytes of JSON` });
    if (expiresAt && Date.parse(expiresAt) <= now()) faults.push({ pointer: "/expiresAt", detail: "this is in the past" });
    return faults;
  }

  /** Draws a key and stores its digest. */
  async function add(format: KeyFormat, settings: Omit<KeyRecord, "id" | "version" | "digest" | "hint" | "createdMs">) {
    const { key, digest, hint } = format.make(random);
    const record: KeyRecord = { id: newId(), version: 1, digest, hint, createdMs: now(), ...settings };
    const reply = await keys.put(record);
    if (reply.state !== "ok") return refuseUnavailable(reply);
    memory.forget(digest);
    return { key, record };
  }

  function newId(): string {
    return `key_${randomText(16, random)}`;
  }

  async function find(id: string): Promise<KeyRecord | Refusal> {
    const reply = await keys.find(id);
    if (reply.state !== "ok") return refuseUnavailable(reply);
    return reply.value ?? refuse("not-found", { detail: "There is no key of this id." });
  }

  /** Reads, edits and writes back what nobody else has changed meanwhile. */
  async function change(id: string, edit: (record: KeyRecord) => Partial<KeyRecord> | Refusal): Promise<KeyRecord | Refusal> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const record = await find(id);
      if ("code" in record) return record;
      const edited = edit(record);
      if ("code" in edited) return edited;
      const changed: KeyRecord = { ...record, ...edited, version: record.version + 1 };
      const reply = await keys.replace(changed);
      if (reply.state !== "ok") return refuseUnavailable(reply);
      memory.forget(record.digest);
      if (reply.value) return changed;
    }
    return refuse("conflict", { detail: "The key is being changed by somebody else." });
  }

  async function done(action: string, record: KeyRecord, { actor }: Call, details: Readonly<Record<string, Json>> = {}) {
    const { id, name, consumer } = record;
    await audit(context, { action: `key.${action}`, target: id, actor, details: { name, consumer, ...details } });
  }

  const shown = (record: KeyRecord): Json => withoutAbsent(shownKey(record, now()));
  const answer = (record: KeyRecord): Done => ({ body: shown(record) });

  async function create(call: Call): Promise<Done | Refusal> {
    const settings = call.body as Settings & { readonly name: string; readonly consumer: string };
    const format = formatFor(settings.authenticator);
    const faults = [...faultsOf(settings), ...("pointer" in format ? [format] : [])];
    if (faults.length > 0 || "pointer" in format) return refuseFaults(faults);
    const made = await add(format, { name: settings.name, consumer: settings.consumer, ...stored(settings) });
    if ("code" in made) return made;
    await done("created", made.record, call, { hint: made.record.hint });
    return newKey(made);
  }

  function newKey({ key, record }: { readonly key: string; readonly record: KeyRecord }): Done {
    return { body: { ...(shown(record) as Record<string, Json>), key }, headers: ["location", `/gateway/api/keys/${record.id}`] };
  }

  async function update(call: Call): Promise<Done | Refusal> {
    const settings = call.body as Settings;
    const faults = faultsOf(settings);
    if (faults.length > 0) return refuseFaults(faults);
    const record = await change(call.params["id"]!, () => stored(settings));
    if ("code" in record) return record;
    // Names alone: what metadata holds is not for a log.
    await done("updated", record, call, { changed: Object.keys(settings) });
    return answer(record);
  }

  async function rotate(call: Call): Promise<Done | Refusal> {
    const { overlap = "7d", quiet, expiresAt } = call.body as Rotation;
    const [overlapMs, quietMs] = [parseDurationMs(overlap), quiet === undefined ? undefined : parseDurationMs(quiet)];
    const faults = faultsOf(expiresAt === undefined ? {} : { expiresAt });
    if (overlapMs === undefined) faults.push({ pointer: "/overlap", detail: "expected a duration" });
    if (quiet !== undefined && (quietMs ?? 0) < MIN_QUIET_MS)
      faults.push({ pointer: "/quiet", detail: "expected 5m or more: it is known within a minute or two when a key was used" });
    if (faults.length > 0 || overlapMs === undefined) return refuseFaults(faults);
    const old = await find(call.params["id"]!);
    if ("code" in old) return old;
    const fault = unrotatable(old, now());
    if (fault) return fault;
    const { id: _, version: __, digest: ___, hint, createdMs, expiresMs, lastUsedMs: ____, ...rights } = old;
    const livesMs = expiresAt === undefined ? expiresMs && now() + expiresMs - createdMs : Date.parse(expiresAt);
    const made = await add(new KeyFormat(hint.split("_", 1)[0]!), { ...rights, expiresMs: livesMs });
    if ("code" in made) return made;
    const rotatedMs = now();
    const rotation = { successor: made.record.id, rotatedMs, sunsetMs: rotatedMs + overlapMs, quietMs };
    const retiring = await change(old.id, (record) => unrotatable(record, now()) ?? { rotation });
    if ("code" in retiring) {
      // Nobody was told the new key: it must not stay behind.
      await keys.remove(made.record.id);
      return retiring;
    }
    await done("rotated", retiring, call, { successor: made.record.id, sunsetAt: time(rotation.sunsetMs)! });
    return newKey(made);
  }

  function switching(action: "disabled" | "enabled"): Operation["run"] {
    return async (call) => {
      const record = await change(call.params["id"]!, ({ revokedMs }) =>
        revokedMs === undefined
          ? { disabled: action === "disabled" ? true : undefined }
          : refuse("conflict", { detail: "The key was revoked, for good." }),
      );
      if ("code" in record) return record;
      await done(action, record, call);
      return answer(record);
    };
  }

  async function revoke(call: Call): Promise<Done | Refusal> {
    const record = await find(call.params["id"]!);
    if ("code" in record) return record;
    const revokedMs = record.revokedMs ?? now();
    const reply = await keys.revoke(record.id, revokedMs);
    memory.forget(record.digest);
    if (reply.state !== "ok") return refuseUnavailable(reply);
    await done("revoked", record, call);
    return { body: { ...(shown({ ...record, revokedMs }) as Record<string, Json>), ...heldWarning(stores) } };
  }

  async function remove(call: Call): Promise<Done | Refusal> {
    const record = await find(call.params["id"]!);
    if ("code" in record) return record;
    const reply = await keys.remove(record.id);
    memory.forget(record.digest);
    if (reply.state !== "ok") return refuseUnavailable(reply);
    await done("removed", record, call);
    return {};
  }

  async function list({ query: { limit, cursor, consumer } }: Call): Promise<Done | Refusal> {
    const reply = await keys.list({
      limit: Number(limit),
      ...(cursor === undefined ? {} : { after: String(cursor) }),
      ...(consumer === undefined ? {} : { consumer: String(consumer) }),
    });
    if (reply.state !== "ok") return refuseUnavailable(reply);
    return { body: { items: reply.value.items.map(shown), next: reply.value.next ?? null } };
  }

  async function get({ params }: Call): Promise<Done | Refusal> {
    const record = await find(params["id"]!);
    return "code" in record ? record : answer(record);
  }

  const one = { path: "keys/{id}", refuses: ["not-found", "store-unavailable"] } as const;
  const changing = ["not-found", "conflict", "store-unavailable"] as const;
  return [
    {
      name: "listKeys",
      method: "GET",
      path: "keys",
      summary: "The keys, newest first",
      query: KEY_QUERY,
      status: 200,
      answer: KEY_PAGE,
      refuses: ["store-unavailable"],
      run: list,
    },
    {
      name: "createKey",
      method: "POST",
      path: "keys",
      summary: "Makes a key, and shows it this once",
      body: CREATE,
      status: 201,
      answer: NEW_KEY,
      refuses: ["store-unavailable"],
      run: create,
    },
    { ...one, name: "getKey", method: "GET", summary: "One key", status: 200, answer: KEY, run: get },
    {
      ...one,
      name: "updateKey",
      method: "PATCH",
      summary: "Changes what is said; null takes a setting away",
      body: UPDATE,
      status: 200,
      answer: KEY,
      refuses: changing,
      run: update,
    },
    { ...one, name: "removeKey", method: "DELETE", summary: "Removes it for good, from lists too", status: 204, run: remove },
    {
      name: "rotateKey",
      method: "POST",
      path: "keys/{id}/rotate",
      summary: "Makes its successor; both work in the overlap",
      body: ROTATE,
      status: 201,
      answer: NEW_KEY,
      refuses: changing,
      run: rotate,
    },
    {
      name: "disableKey",
      method: "POST",
      path: "keys/{id}/disable",
      summary: "It is refused until it is enabled",
      status: 200,
      answer: KEY,
      refuses: changing,
      run: switching("disabled"),
    },
    {
      name: "enableKey",
      method: "POST",
      path: "keys/{id}/enable",
      summary: "It is taken again",
      status: 200,
      answer: KEY,
      refuses: changing,
      run: switching("enabled"),
    },
    {
      name: "revokeKey",
      method: "POST",
      path: "keys/{id}/revoke",
      summary: "It is refused for good, and stays in lists",
      status: 200,
      answer: REVOKED_KEY,
      refuses: ["not-found", "store-unavailable"],
      run: revoke,
    },
  ];
}

function unrotatable(record: KeyRecord, nowMs: number): Refusal | undefined {
  const status = statusOf(record, nowMs);
  if (record.rotation) return refuse("conflict", { detail: `The key has a successor already: ${record.rotation.successor}.` });
  return isUsable(status) ? undefined : refuse("conflict", { detail: `The key is ${status}: make a new one.` });
}

/** The settings that a body speaks of, as a record holds them. */
function stored({ name, owner, scopes, tier, metadata, ips, routes, expiresAt }: Settings): Partial<KeyRecord> {
  const given = {
    name,
    owner,
    scopes,
    tier,
    metadata,
    allowedIps: ips === null ? null : ips?.map((ip) => canonicalRange(ip)!),
    allowedRoutes: routes,
    expiresMs: expiresAt && Date.parse(expiresAt),
  };
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said.map(([key, value]) => [key, value ?? undefined]));
}

function shownKey(record: KeyRecord, nowMs: number): Record<string, Json | undefined> {
  const { id, name, hint, consumer, owner, scopes, tier, metadata, rotation } = record;
  return {
    id,
    name,
    hint,
    status: statusOf(record, nowMs),
    consumer,
    owner,
    scopes,
    tier,
    metadata,
    ips: record.allowedIps,
    routes: record.allowedRoutes,
    createdAt: time(record.createdMs),
    expiresAt: time(record.expiresMs),
    lastUsedAt: time(record.lastUsedMs),
    revokedAt: time(record.revokedMs),
    rotation: rotation && {
      successor: rotation.successor,
      rotatedAt: time(rotation.rotatedMs)!,
      sunsetAt: time(rotation.sunsetMs)!,
      ...(rotation.quietMs === undefined ? {} : { quietSeconds: Math.round(rotation.quietMs / 1000) }),
    },
  };
}

function withoutAbsent(value: Readonly<Record<string, Json | undefined>>): Json {
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
