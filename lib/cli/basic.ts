/** `frontdesk basic hash`: what stands in the config in place of a password. */
import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import { makePasswordHash } from "../crypto/password-hash.ts";
import { type Command, OK, UsageError } from "./command.ts";

/** A password with its name must fit what `basic` reads. */
const MAX_LENGTH = 1024;

export const basic: Command = {
  name: "basic",
  summary: "hashes a password for `basic`, read from the standard input",
  operands: "hash",
  maxOperands: 1,
  flags: {},
  details:
    "The hash is scrypt's in PHC format, for `passwordHash` of a user. A password is never an argument: those stand in the shell's history.\n" +
    'read -rs PASSWORD && printf %s "$PASSWORD" | frontdesk basic hash',
  async run({ operands: [action] }) {
    if (action !== "hash")
      throw new UsageError(`it takes hash${action === undefined ? "." : `, not ${JSON.stringify(action)}.`}`);
    if (process.stdin.isTTY) throw new UsageError("it reads the password from the standard input, so that no screen shows it.");
    // The end of a line is the shell's, not the password's.
    const password = (await text(process.stdin)).replace(/\r?\n$/, "");
    // RFC 7617 section 2: control characters can't be sent.
    if (password === "" || password.length > MAX_LENGTH || /\p{Cc}/u.test(password))
      throw new UsageError(`a password is one line of 1 to ${MAX_LENGTH} characters.`);
    return { code: OK, out: await makePasswordHash(password, (bytes) => new Uint8Array(randomBytes(bytes))) };
  },
};
