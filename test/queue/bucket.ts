export function testBucketKey(prefix: string, second: number): string {
  return `${prefix}:bucket:${second}`;
}
