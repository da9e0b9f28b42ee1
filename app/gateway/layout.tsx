import type { ReactNode } from "react";
import "./console.css";

export const metadata = { title: "Frontdesk", robots: "noindex" };

export default function ConsoleLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
