/** Copies a text, and says so. */
"use client";
import { useState } from "react";

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [said, setSaid] = useState<string>();
  const copy = async () => {
    setSaid((await copied(text)) ? "Copied" : "Not copied");
    setTimeout(() => setSaid(undefined), 2_000);
  };
  return (
    <button type="button" className="button" onClick={copy}>
      <span aria-live="polite">{said ?? label}</span>
    </button>
  );
}

/** Browsers lend the clipboard to secure origins only; elsewhere a selected field is copied. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    return isCopied;
  }
}
