/** JSON that fits into a header: everything beyond ASCII is escaped. */
export function asciiJson(value: unknown): string {
  return escapeBeyondAscii(JSON.stringify(value));
}

export function escapeBeyondAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
