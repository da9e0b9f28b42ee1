/** What a command of `frontdesk` is, and how its arguments are read: a fault in a call is told with what was perhaps meant. */
import { parseArgs } from "node:util";
import { didYouMean } from "../config/nearest.ts";

export interface Flag {
  readonly type: "boolean" | "string";
  /** May be given several times. */
  readonly multiple?: boolean;
  /** Stands for the value in the help. */
  readonly value?: string;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** As they stand in the help: `[file]`. */
  readonly operands: string;
  readonly maxOperands: number;
  readonly flags: Readonly<Record<string, Flag>>;
  /** What else the help of this command says. */
  readonly details: string;
  run(call: Call): Promise<Result>;
}

export interface Call {
  /** Where the config and `.env` are; paths are relative to it. */
  readonly cwd: string;
  readonly operands: readonly string[];
  has(flag: string): boolean;
  one(flag: string): string | undefined;
  all(flag: string): readonly string[];
}

export const OK = 0;
/** What was checked is wrong. */
export const WRONG = 1;
/** The call itself was wrong. */
export const MISUSED = 2;

export interface Result {
  readonly code: typeof OK | typeof WRONG | typeof MISUSED;
  readonly out?: string;
  readonly err?: string;
}

/** The command was called in a way that it does not know. */
export class UsageError extends Error {}

export const JSON_FLAG: Flag = { type: "boolean", help: "the same as JSON, for machines" };
export const CONFIG_FLAG: Flag = {
  type: "string",
  value: "file",
  help: "this config in place of the one that the gateway would load",
};

/** The config that the call names, as an operand or by `--config`: the two are one. */
export function configFile(call: Call, operand: string | undefined): string | undefined {
  const flag = call.one("config");
  if (flag !== undefined && operand !== undefined)
    throw new UsageError(`two configs are named: ${JSON.stringify(operand)} and --config ${JSON.stringify(flag)}.`);
  return flag ?? operand;
}

const HELP_FLAG: Flag = { type: "boolean", help: "this text" };

export function flagsOf({ flags }: Pick<Command, "flags">): Readonly<Record<string, Flag>> {
  return { ...flags, help: HELP_FLAG };
}

export function readCall(command: Pick<Command, "flags" | "maxOperands">, args: readonly string[], cwd: string): Call {
  const flags = flagsOf(command);
  const options = Object.fromEntries(Object.entries(flags).map(([name, { type }]) => [name, { type }]));
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const operands: string[] = [];
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const name = token.rawName === "-h" ? "help" : token.name;
    if (!Object.hasOwn(flags, name) || (!token.rawName.startsWith("--") && name !== "help")) {
      throw new UsageError(
        withHint(
          `there is no ${token.rawName}.`,
          didYouMean(
            token.rawName,
            Object.keys(flags).map((known) => `--${known}`),
          ),
        ),
      );
    }
    const flag = flags[name]!;
    const earlier = given.get(name) ?? [];
    if (earlier.length > 0 && flag.type === "string" && !flag.multiple) throw new UsageError(`--${name} is given twice.`);
    given.set(name, [...earlier, readValue(name, flag, token)]);
  }
  if (operands.length > command.maxOperands)
    throw new UsageError(`it takes no ${JSON.stringify(operands[command.maxOperands])}.`);
  return {
    cwd,
    operands,
    has: (flag) => given.has(flag),
    one: (flag) => given.get(flag)?.[0],
    all: (flag) => given.get(flag) ?? [],
  };
}

function readValue(
  name: string,
  { type, value: placeholder }: Flag,
  token: { value?: string | undefined; inlineValue?: boolean | undefined },
): string {
  const { value, inlineValue } = token;
  if (type === "boolean") {
    if (value !== undefined) throw new UsageError(`--${name} takes no value.`);
    return "";
  }
  // `--ip --json` has forgotten the value; `--body=--x` means it.
  if (value === undefined || (!inlineValue && value.startsWith("-")))
    throw new UsageError(`--${name} needs a value: --${name} <${placeholder}>.`);
  return value;
}

export function withHint(message: string, hint: string | undefined): string {
  return hint === undefined ? message : `${message} ${hint}`;
}
