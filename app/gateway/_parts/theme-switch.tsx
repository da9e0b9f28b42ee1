/** Light, dark, or as the system has it. The choice is a cookie, so that the server writes the page in its colours. */
"use client";
import { useState } from "react";
import { nextTheme, THEME_COOKIE, type Theme } from "./theme.ts";

const YEAR_SECONDS = 365 * 86_400;

export function ThemeSwitch({ initial }: { readonly initial: Theme }) {
  const [theme, setTheme] = useState(initial);
  const turn = () => {
    const next = nextTheme(theme);
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser.
    document.cookie = `${THEME_COOKIE}=${next}; Path=/gateway; Max-Age=${YEAR_SECONDS}; SameSite=Lax`;
    document.documentElement.dataset["theme"] = next;
    setTheme(next);
  };
  return (
    <button type="button" className="chip" onClick={turn}>
      <span className="quiet">theme</span> {theme}
    </button>
  );
}
