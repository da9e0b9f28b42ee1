/** Takes out of a record what must not be written down: credentials in a path, and what the config names. */
import type { CompiledConfig } from "../contract/compiled/config.ts";
import { pathParams } from "../contract/path-params.ts";
import type { RequestRecord } from "../contract/record.ts";
import { truncateIp } from "../http/ip.ts";

export const REDACTED = "***";

/** The fields of a record that may hold what a caller would not want written down. */
export type RedactedFields = Pick<RequestRecord, "path" | "host" | "consumer" | "reason" | "clientIp">;
export type Redact = (record: RequestRecord) => RedactedFields;

/** Path segments by index; `rest` where all from there on belong to it. */
interface HiddenSegments {
  readonly indexes: ReadonlySet<number>;
  readonly restFrom: number;
}

const NONE: HiddenSegments = { indexes: new Set(), restFrom: Number.POSITIVE_INFINITY };

/**
 * Credentials that show by their form: JSON Web Tokens (RFC 7519; the header begins `{"`), API keys of this gateway and of others
 * (`fd_live_…`, `sk_test_…`), tokens of GitHub, Slack and OpenAI. They stand in paths by a client's mistake.
 */
const CREDENTIAL = /^(?:eyJ[\w-]+\.[\w-]+|\w+_(?:live|test)_\w{8}|gh[a-z]_\w{16}|xox[a-z]-[\w-]{8}|sk-[\w-]{16})/;

/** What each form of `CREDENTIAL` has in it, also where it is percent-encoded. */
const MAY_HOLD_CREDENTIAL = /[_%]|eyJ|xox|sk-/;

export function createRedaction({ observe = {}, routes }: Pick<CompiledConfig, "observe" | "routes">): Redact {
  const { redact, clientIp } = observe;
  const params = new Set(redact?.params);
  const fields = new Set<string>(redact?.fields);
  const hidden = new Map(routes.map(({ id, path }) => [id, hiddenSegments(path, params)]));
  const hide = <T extends string | undefined>(name: string, value: T): T =>
    fields.has(name) && value !== undefined ? (REDACTED as T) : value;
  return ({ path, route, host, consumer, reason, clientIp: ip }) => ({
    path: fields.has("path") ? REDACTED : shortened(hideSegments(path, (route !== undefined && hidden.get(route)) || NONE)),
    host: hide("host", host),
    consumer: hide("consumer", consumer),
    reason: hide("reason", reason === undefined ? undefined : shortened(reason)),
    clientIp: clientIp === false || ip === undefined ? undefined : clientIp === "truncated" ? truncateIp(ip) : ip,
  });
}

/** A path may have 60 KB. */
const MAX_TEXT_LENGTH = 2_000;

function shortened(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}…`;
}

function hiddenSegments(path: string, params: ReadonlySet<string>): HiddenSegments {
  const indexes = new Set<number>();
  let restFrom = Number.POSITIVE_INFINITY;
  for (const { name, index, isRest } of pathParams(path)) {
    if (!params.has(name)) continue;
    if (isRest) restFrom = index;
    else indexes.add(index);
  }
  return indexes.size === 0 && restFrom === Number.POSITIVE_INFINITY ? NONE : { indexes, restFrom };
}

function hideSegments(path: string, hidden: HiddenSegments): string {
  // Most paths have neither.
  if (hidden === NONE && !MAY_HOLD_CREDENTIAL.test(path)) return path;
  return path
    .split("/")
    .map((segment, index) => {
      const at = index - 1;
      const isHidden = hidden.indexes.has(at) || at >= hidden.restFrom;
      return segment !== "" && (isHidden || CREDENTIAL.test(decoded(segment))) ? REDACTED : segment;
    })
    .join("/");
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
