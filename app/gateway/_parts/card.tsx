/** A card with its heading, a fault in its place, and an empty state with a command to try. */
import type { ReactNode } from "react";
import { CopyButton } from "./copy-button.tsx";

interface CardProps {
  readonly title: string;
  /** Beside the heading. */
  readonly aside?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Card({ title, aside, className = "", children }: CardProps) {
  return (
    <section className={`card ${className}`}>
      <div className="card-head">
        <h2>{title}</h2>
        {aside ? <div className="aside">{aside}</div> : null}
      </div>
      {children}
    </section>
  );
}

/** A store that does not answer: the page shows what it has. */
export function Fault({ children }: { readonly children: string }) {
  return (
    <p className="notice bad" role="status">
      {children}
    </p>
  );
}

export function Empty({ children, command }: { readonly children: ReactNode; readonly command?: string }) {
  return (
    <div className="empty">
      <p>{children}</p>
      {command === undefined ? null : (
        <p className="command">
          <code>{command}</code>
          <CopyButton text={command} label="Copy" />
        </p>
      )}
    </div>
  );
}
