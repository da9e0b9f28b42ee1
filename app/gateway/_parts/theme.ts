/** The themes of the console, and the cookie that keeps the choice. */
export const THEMES = ["auto", "light", "dark"] as const;

export type Theme = (typeof THEMES)[number];

export const THEME_COOKIE = "frontdesk-theme";

export function themeIn(cookie: string | undefined): Theme {
  return THEMES.find((theme) => theme === cookie) ?? "auto";
}

export function nextTheme(theme: Theme): Theme {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
}
