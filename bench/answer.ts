/** What the bench's backend answers: about half a kilobyte of JSON. The load generator looks for it, byte for byte. */
export const ANSWER = JSON.stringify({
  products: Array.from({ length: 8 }, (_, id) => ({ id, name: `Product number ${id}`, price: 1999 + id, stock: 7 })),
});
