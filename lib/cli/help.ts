/** The texts of `--help`. */
import { type Command, flagsOf } from "./command.ts";
import { bold, columns } from "./page.ts";

export function helpOnAll(commands: readonly Command[]): string {
  return [
    `${bold("frontdesk")} <command>`,
    "",
    columns(
      commands.map(({ name, summary }) => [bold(name), summary]),
      "  ",
    ),
    "",
    "frontdesk <command> --help says more about one.",
    "Exit codes: 0 all is well, 1 what was checked is wrong, 2 the call was wrong.",
  ].join("\n");
}

export function helpOn(command: Command): string {
  const { name, summary, operands, details } = command;
  const flags = Object.entries(flagsOf(command)).map(([flag, { value, help, multiple }]) => [
    bold(`--${flag}${value ? ` <${value}>` : ""}`),
    multiple ? `${help}; may be repeated` : help,
  ]);
  const usage = `frontdesk ${[name, operands].filter(Boolean).join(" ")}`;
  return [`${bold(usage)}  ${summary}`, "", columns(flags, "  "), "", details].join("\n");
}
