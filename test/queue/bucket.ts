export const TEST_PREFIX = '{cutoff-test}';

export function testBucketKey(second: number): string {
  return `cutoff-test:bucket:${second}`;
}
