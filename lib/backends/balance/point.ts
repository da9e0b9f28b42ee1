/** Places on the globe, and which of two is nearer to a third. */

/** A point on the unit sphere: of two of them, the one with the larger dot product with a third is the nearer. */
export type Point = readonly [x: number, y: number, z: number];

export function pointAt(latitude: number, longitude: number): Point {
  const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}
