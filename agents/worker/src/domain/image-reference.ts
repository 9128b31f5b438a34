/** Adds the default tag. A digest or a tag stays as it is; a colon before the last slash is a port. */
export function withTag(reference: string): string {
  if (reference.includes('@')) return reference;
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return name.includes(':') ? reference : `${reference}:latest`;
}
