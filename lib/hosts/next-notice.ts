/** Next's advice to rename middleware.ts, in `npm run dev` and `npm run build`: told in one line, without the codemod. */

const ADVICE = "nextjs.org/docs/messages/middleware-to-proxy";
const NOTICE = "Next calls middleware.ts deprecated. Leave it, and run no codemod: docs/design.md says why.";

/** Next writes its warnings by the console's `warn`. Any other passes as it is. */
export function explainNextNotice(output: Pick<Console, "warn">): void {
  const { warn } = output;
  output.warn = (...parts: unknown[]) => {
    const isAdvice = parts.some((part) => typeof part === "string" && part.includes(ADVICE));
    warn.apply(output, isAdvice ? [NOTICE] : parts);
  };
}
