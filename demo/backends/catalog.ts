/** A small REST service. It runs once per region, and each answer names the region that gave it. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { answerJson } from "./answer.ts";

interface Product {
  readonly id: number;
  readonly name: string;
  /** In cents. */
  readonly price: number;
}

const MAX_BODY_BYTES = 16 * 1024;

export function createCatalog(region: string): Server {
  const products: Product[] = [
    { id: 1, name: "Bell", price: 1200 },
    { id: 2, name: "Guest book", price: 3400 },
    { id: 3, name: "Key rack", price: 5900 },
  ];
  const fields = { "x-region": region };
  return createServer(async (request, response) => {
    const path = new URL(request.url!, "http://catalog").pathname;
    const id = /^\/products\/(\d+)$/.exec(path)?.[1];
    if (request.method === "GET" && path === "/products") {
      answerJson(response, 200, { region, products }, fields);
    } else if (request.method === "GET" && products[Number(id) - 1]) {
      answerJson(response, 200, { region, ...products[Number(id) - 1] }, fields);
    } else if (request.method === "POST" && path === "/products") {
      const given = await readProduct(request);
      if (!given) return answerJson(response, 400, { error: "expected a name and a price" }, fields);
      const product = { id: products.length + 1, ...given };
      products.push(product);
      answerJson(response, 201, { region, ...product }, { ...fields, location: `/products/${product.id}` });
    } else {
      answerJson(response, 404, { region, error: "no such product" }, fields);
    }
  });
}

async function readProduct(request: IncomingMessage): Promise<Omit<Product, "id"> | undefined> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) return undefined;
  }
  try {
    const { name, price } = JSON.parse(text) as Record<string, unknown>;
    return typeof name === "string" && typeof price === "number" ? { name, price } : undefined;
  } catch {
    return undefined;
  }
}
