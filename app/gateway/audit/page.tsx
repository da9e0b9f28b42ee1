/** The audit log, newest first: what was changed, by whom and from where. */
import Link from "next/link.js";
import type { Readings } from "../../../lib/console/readings.ts";
import { Card, Empty, Fault } from "../_parts/card.tsx";
import { Frame } from "../_parts/frame.tsx";
import { LocalTime } from "../_parts/local-time.tsx";
import { hrefOf, openConsole, type PageProps } from "../_parts/open-console.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Audit" };

export default async function AuditPage(props: PageProps) {
  const open = await openConsole("audit", props);
  const found = await open.view.read("audit", { cursor: open.search["cursor"] });
  return (
    <Frame open={open} title="Audit" ownOnly="this is the log of one instance, and ends with it.">
      <Card title="Changes, newest first">
        {"fault" in found ? (
          <Fault>{found.fault}</Fault>
        ) : (
          <Entries
            items={found.value.items}
            olderHref={found.value.next && hrefOf(open, "audit", { cursor: found.value.next })}
          />
        )}
      </Card>
    </Frame>
  );
}

type Entry = Readings["audit"]["items"][number];

function Entries({ items, olderHref }: { readonly items: readonly Entry[]; readonly olderHref: string | null }) {
  if (items.length === 0)
    return (
      <Empty command='npx frontdesk keys create --name "first" --consumer partner'>
        Nothing was changed yet. Making a key is a change:
      </Empty>
    );
  return (
    <>
      <table className="cards">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Change</th>
            <th scope="col">Of</th>
            <th scope="col">By</th>
            <th scope="col">Details</th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ id, time, action, target, actor, details }) => (
            <tr key={id}>
              <td data-label="When">
                <LocalTime time={time} />
              </td>
              <td data-label="Change">
                <b>{action}</b>
              </td>
              <td data-label="Of">
                <code>{target}</code>
              </td>
              <td data-label="By">{[actor.by, actor.user, actor.ip].filter(Boolean).join(" · ")}</td>
              <td data-label="Details">
                <code>{details ? JSON.stringify(details) : "–"}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {olderHref === null ? null : (
        <p className="more">
          <Link className="button" href={olderHref} prefetch={false}>
            Older
          </Link>
        </p>
      )}
    </>
  );
}
