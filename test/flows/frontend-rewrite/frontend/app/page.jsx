/** What the gateway's backend says, asked for from the frontend's own origin. */
export default function Page() {
  return <p>The shop is open: /api/products</p>;
}
