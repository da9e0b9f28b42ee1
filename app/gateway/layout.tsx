/** The document of every page of the console: fonts, colours, theme. */
import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import { cookies } from "next/headers.js";
import type { ReactNode } from "react";
import { THEME_COOKIE, themeIn } from "./_parts/theme.ts";
import "./console.css";
import "./cards.css";
import "./tables.css";
import "./narrow.css";

// An empty picture: a browser would ask for /favicon.ico, which belongs to the routes.
export const metadata = { title: { template: "%s · Frontdesk", default: "Frontdesk" }, robots: "noindex", icons: "data:," };

export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  const theme = themeIn((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <html lang="en" data-theme={theme} className={`${GeistSans.variable} ${GeistMono.variable}`}>
      <body>{children}</body>
    </html>
  );
}
