/** Backends as this instance sees them: the state of each target, why it is out, and what is under way. */
import { Card, Empty } from "../_parts/card.tsx";
import { Frame } from "../_parts/frame.tsx";
import { openConsole, type PageProps } from "../_parts/open-console.ts";
import { StateDot } from "../_parts/state-dot.tsx";

export const dynamic = "force-dynamic";
export const metadata = { title: "Backends" };

export default async function BackendsPage(props: PageProps) {
  const open = await openConsole("backends", props);
  const measures = new Map(open.view.config().backends.map((backend) => [backend.name, backend.measures]));
  const { backends } = open.overview;
  return (
    <Frame open={open} title="Backends" ownOnly="these states are what one instance has seen.">
      {backends.length === 0 ? (
        <Card title="Backends">
          <Empty>The config has no backend: every route answers by itself.</Empty>
        </Card>
      ) : null}
      {backends.map(({ name, targets }) => (
        <Card key={name} title={name} aside={<span>{measures.get(name)?.join(" · ") || "no measures"}</span>}>
          <table className="cards">
            <thead>
              <tr>
                <th scope="col">Target</th>
                <th scope="col">State</th>
                <th scope="col">Reason</th>
                <th scope="col" className="number">
                  In flight
                </th>
              </tr>
            </thead>
            <tbody>
              {targets.map(({ url, state, reason, inFlight }) => (
                <tr key={url}>
                  <td data-label="Target">
                    <code>{url}</code>
                  </td>
                  <td data-label="State">
                    <StateDot state={state} />
                  </td>
                  <td data-label="Reason">{reason ?? "–"}</td>
                  <td data-label="In flight" className="number">
                    {inFlight}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      ))}
      <p className="quiet">
        “unwatched” is a single target without health check, breaker or retries: nothing would be done about it. States are those
        of the instance that wrote this page.
      </p>
    </Frame>
  );
}
