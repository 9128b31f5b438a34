/** Name of this service's consumer of a stream: replicas share it. */
export function durableOf(stream: string): string {
  return `telemetry-${stream.toLowerCase()}`;
}
