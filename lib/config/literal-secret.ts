/** Secrets that stand in a config as plain text, as far as a header field gives them away. */
import type { ConfigPath, Report } from "./issue.ts";

const CREDENTIAL_FIELDS = /^(?:authorization|proxy-authorization|cookie|(?:x-)?api-?key|x-auth-token|x-access-token)$/i;
const CREDENTIAL_VALUE = /^(?:bearer|basic|token) [^$\s]{8,}$/i;

/** A value with a reference or a request value in it is none. */
export function reportLiteralSecret(name: string, value: string, place: ConfigPath, report: Report): void {
  if (value.includes("${") || value === "") return;
  if (!CREDENTIAL_FIELDS.test(name) && !CREDENTIAL_VALUE.test(value)) return;
  report.warn(
    "secret-in-config",
    place,
    `a secret seems to stand in the config itself, and would be written into the build.`,
    'Write env("NAME") and keep it in the environment.',
  );
}
