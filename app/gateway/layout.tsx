import type { ReactNode } from "react";
import "./console.css";

// An empty picture: a browser would ask for /favicon.ico, which belongs to the routes.
export const metadata = { title: "Frontdesk", robots: "noindex", icons: "data:," };

export default function ConsoleLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
