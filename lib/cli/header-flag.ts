/** `--header "name: value"`. */
import { UsageError } from "./command.ts";

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

export function readHeader(text: string): [name: string, value: string] {
  const colon = text.indexOf(":");
  const [name, value] = [text.slice(0, colon), text.slice(colon + 1).trim()];
  if (colon < 1 || !TOKEN.test(name)) throw new UsageError(`--header ${JSON.stringify(text)} is not "name: value".`);
  // As latin-1, which is what a host's parser makes of the bytes (RFC 9110 section 5.5).
  return [name, Buffer.from(value, "utf8").toString("latin1")];
}
